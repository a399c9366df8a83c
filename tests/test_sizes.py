import pytest

from genlab.sizes import doublings, halvings, height_and_width


@pytest.mark.parametrize(
    ("resolution", "size"),
    [(64, (64, 64)), ([48, 80], (48, 80)), ((80, 48), (80, 48)), ("48x80", (48, 80)), (1, (1, 1))],
)
def test_a_number_is_a_square_and_a_pair_height_and_width(resolution, size) -> None:
    found = height_and_width(resolution)
    assert found == size
    assert (found.height, found.width) == size


@pytest.mark.parametrize(
    "nonsense",
    [
        0,
        -4,
        True,
        4.0,
        65537,
        [0],
        [48],
        [48, 0],
        [48, 80, 3],
        [4.0, 8],
        [True, 8],
        "big",
        "48",
        None,
        {},
        [[4, 4], 4],
        "x",
        "48x0",
        "48x",
    ],
)
def test_nonsense_is_refused(nonsense) -> None:
    with pytest.raises(ValueError, match=r"resolution=.* data\.resolution"):
        height_and_width(nonsense)


def test_the_side_of_a_square_is_all_that_stands_for_its_size() -> None:
    square, rectangle = height_and_width(64), height_and_width([48, 80])
    assert (square.smaller, square.mean_side, str(square)) == (64, 64, "64")
    assert (rectangle.smaller, rectangle.mean_side) == (48, 61)  # 61^2 = 3721 < 3840 < 62^2
    assert str(rectangle) == "[48,80]"


def test_sides_are_halved_together_and_doubled_again() -> None:
    assert halvings([48, 80]) == [(48, 80), (24, 40), (12, 20), (6, 10)]
    assert doublings([48, 80]) == [(6, 10), (12, 20), (24, 40), (48, 80)]
    assert doublings([256, 32]) == [(32, 4), (64, 8), (128, 16), (256, 32)]
    assert [size.width for size in doublings(1024)] == [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    assert doublings(28) == [(7, 7), (14, 14), (28, 28)]
    assert doublings(4) == [(4, 4)]


@pytest.mark.parametrize(
    ("resolution", "fitting"),
    [(100, "96"), (2, "4"), ([50, 80], "[48,80]"), ([48, 85], "[48,80]"), ([3, 9], "[4,9]")],
)
def test_sizes_that_cannot_be_doubled_to_are_refused_with_some_that_can(
    resolution, fitting: str
) -> None:
    with pytest.raises(ValueError, match="smaller one, without a remainder") as caught:
        doublings(resolution)
    assert str(caught.value).endswith(f"set data.resolution to, say, {fitting}")
    sides = [int(side) for side in fitting.strip("[]").split(",")]
    assert doublings(sides if len(sides) > 1 else sides[0])
