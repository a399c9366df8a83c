"""What translators are given, against what it should be by hand."""

import pytest
import torch
from torch import Tensor

from genlab.objectives.views import KINDS, Grey, Holes, Outline, Shrunk, View, luminance


@pytest.fixture
def images() -> Tensor:
    return torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("view", [Shrunk(32, 2), Shrunk(32, 4), Holes(), Grey(), Outline()])
def test_what_is_given_has_the_stated_shape(view: View, images: Tensor) -> None:
    for channels in (1, 3):
        given = view(images[:, :channels])
        side = 32 // view.scale
        assert given.shape == (6, view.channels(channels), side, side)
        assert view.naive(given, channels).shape == (6, channels, 32, 32)
        assert view.complete(given, images[:, :channels]).shape == (6, channels, 32, 32)


def test_a_flat_image_survives_shrinking_and_enlarging() -> None:
    flat = torch.full((1, 3, 16, 16), 0.5)
    view = Shrunk(32, 4)
    torch.testing.assert_close(view.naive(view(flat), 3), flat, atol=1 / 255, rtol=0)


def test_small_images_have_256_levels(images: Tensor) -> None:
    levels = (Shrunk(32, 2)(images) + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)


def test_an_output_is_added_to_the_enlargement(images: Tensor) -> None:
    view = Shrunk(32, 4)
    given = view(images)
    added = view.complete(given, torch.full_like(images, 0.25)) - view.naive(given, 3)
    torch.testing.assert_close(added, torch.full_like(images, 0.25))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_holes_take_their_share(kind: str, share: float, images: Tensor) -> None:
    torch.manual_seed(0)
    holes = Holes(kind, share)(images.repeat(20, 1, 1, 1))[:, -1:]
    assert set(holes.unique().tolist()) == {0.0, 1.0}
    taken = holes.mean((1, 2, 3))
    tolerance = 0.02 if kind == "free_form" else 0.05
    torch.testing.assert_close(taken, torch.full_like(taken, share), atol=tolerance, rtol=0)
    centred = torch.equal(holes[0], holes[1])
    assert centred == (kind == "centre")


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_around_a_hole_stay_untouched(kind: str, images: Tensor) -> None:
    view = Holes(kind)
    given = view(images)
    holes = given[:, -1:].expand_as(images) > 0
    filled = view.complete(given, torch.full_like(images, 0.7))
    assert torch.equal(filled[~holes], images[~holes])
    assert (filled[holes] == torch.tensor(0.7)).all()


def test_a_hole_is_naively_filled_with_the_mean_around_it() -> None:
    images = torch.full((1, 1, 8, 8), 0.5)
    images[:, :, 2:6, 2:6] = -1
    view = Holes("centre", 0.25)
    torch.testing.assert_close(view.naive(view(images), 1), torch.full((1, 1, 8, 8), 0.5))


def test_grey_weighs_the_colours() -> None:
    colours = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1]])[:, :, None, None]
    expected = torch.tensor([0.299, 0.587, 0.114]) * 2 - 1
    torch.testing.assert_close(luminance(colours).flatten(), expected)


def test_an_outline_is_white_where_nothing_changes_and_dark_at_steps() -> None:
    images = torch.full((1, 1, 8, 8), -1.0)
    images[..., 4:] = 1
    drawn = Outline()(images)[0, 0]
    assert (drawn[:, [0, 1, 6, 7]] == 1).all()
    assert (drawn[:, 3:5] == -1).all()


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: Shrunk(32, 3), "factor=3"),
        (lambda: Shrunk(28, 8), "factor=8 does not divide 28"),
        (lambda: Holes("round"), "kind='round'"),
        (lambda: Holes(share=0.0), "share=0.0"),
        (lambda: Outline(contrast=0.0), "contrast=0.0"),
    ],
)
def test_wrong_settings_are_named(make, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        make()
