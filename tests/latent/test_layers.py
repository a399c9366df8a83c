import pytest
import torch

from genlab.latent.layers import chosen, described, mixed, parts


@pytest.mark.parametrize(
    ("pixels", "sizes"),
    [
        (1024, [4, 4, 10]),
        (256, [4, 4, 6]),
        (128, [4, 4, 4]),
        (64, [4, 3, 3]),
        (32, [3, 3, 2]),
        (16, [2, 2, 2]),
        (8, [2, 1, 1]),
    ],
)
def test_parts_are_those_of_the_paper_and_never_empty(pixels: int, sizes: list[int]) -> None:
    layers = 2 * (pixels.bit_length() - 2)
    found = parts(layers)
    assert list(found) == ["coarse", "middle", "fine"]
    assert [len(part) for part in found.values()] == sizes
    assert [layer for part in found.values() for layer in part] == list(range(layers))


def test_two_layers_have_no_parts() -> None:
    with pytest.raises(ValueError, match="no three parts"):
        parts(2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("all", range(12)),
        ("coarse", range(4)),
        ("middle", range(4, 8)),
        ("fine", range(8, 12)),
        ("2-5", range(1, 5)),
        ("12-12", range(11, 12)),
        (3, range(2, 3)),
        ("3", range(2, 3)),
    ],
)
def test_layers_are_named(words: str | int, expected: range) -> None:
    assert chosen(words, 12) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("0-3", "from 1 to 12"),
        ("5-2", "from 1 to 12"),
        ("5-13", "from 1 to 12"),
        ("corse", "choose all, coarse"),
        ("1-", "choose all, coarse"),
        (1.5, "choose all, coarse"),
    ],
)
def test_others_are_refused(words, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chosen(words, 12)


def test_layers_are_described_with_their_pixels() -> None:
    assert described(range(4)) == "layers 1-4 (4 to 8 pixels)"
    assert described(range(2, 4)) == "layers 3-4 (8 pixels)"
    assert described(range(8, 9)) == "layer 9 (64 pixels)"


def test_only_the_chosen_layers_are_exchanged() -> None:
    styles, others = torch.zeros(3, 1, 6, 5), torch.ones(1, 4, 6, 5)
    found = mixed(styles, others, range(1, 3))
    assert found.shape == (3, 4, 6, 5)
    assert found[1, 2, :, 0].tolist() == [0, 1, 1, 0, 0, 0]
    assert mixed(styles, others[:, :, :1], range(5, 6))[0, 0, :, 4].tolist() == [0, 0, 0, 0, 0, 1]
