"""Sizes of images in pixels: one number for a square, or a pair [height, width].

Of a rectangle two numbers stand for its size: the smaller side, which names stages of growth, and
the root of its area, `mean_side`. Both are the side of a square.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

Resolution = int | Sequence[int]
"""Pixels of a square's side, or [height, width]."""

LARGEST = 2**16  # pixels of a side


class Size(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int

    @property
    def smaller(self) -> int:
        """The smaller side."""
        return min(self)

    @property
    def mean_side(self) -> int:
        """The side of a square of this area, rounded down."""
        return math.isqrt(self.height * self.width)

    def __str__(self) -> str:
        """As in a setting: 64 for a square, [48,80] for a rectangle."""
        return str(self.width) if self.height == self.width else f"[{self.height},{self.width}]"


def height_and_width(resolution: Resolution | str) -> Size:
    """The size that a number, a pair [height, width] or a text "HEIGHTxWIDTH" stands for.

    Raises:
        ValueError: anything else, and sides that are not from 1 to 65,536 pixels.
    """
    found: object = resolution
    if isinstance(resolution, str) and re.fullmatch(r"\d{1,6}x\d{1,6}", resolution):
        found = [int(side) for side in resolution.split("x")]
    sides = [found, found] if isinstance(found, int) else found
    if isinstance(sides, Sequence) and len(sides) == 2 and all(map(_is_a_side, sides)):
        return Size(*sides)
    raise ValueError(
        f"resolution={resolution!r} must be a number of pixels or a pair [height, width] of them, "
        f"each from 1 to {LARGEST:,}: set data.resolution to, say, 64 or [48,80]"
    )


def halvings(resolution: Resolution, smallest: int = 4) -> list[Size]:
    """The sizes of an image as it is halved, the image's own first.

    Both sides are halved together, while both are even and the smaller one keeps `smallest` pixels:
    48 x 80 becomes 24 x 40, 12 x 20 and 6 x 10.
    """
    found = [height_and_width(resolution)]
    while not any(side % 2 for side in found[-1]) and found[-1].smaller >= 2 * smallest:
        found.append(Size(*(side // 2 for side in found[-1])))
    return found


def doublings(resolution: Resolution, smallest: int = 4) -> list[Size]:
    """The sizes of an image that is doubled from a small map of its ratio, the map first.

    They are its `halvings`, backwards, and the smaller side of the first one is `smallest` to
    2 `smallest` - 1 pixels: 4 x 4 for any power of two, 6 x 10 for 48 x 80.

    Raises:
        ValueError: an image whose sides do not share a power of two that is large enough.
    """
    found = halvings(resolution, smallest)[::-1]
    if smallest <= found[0].smaller < 2 * smallest:
        return found
    size = found[-1]
    if size.smaller < smallest:
        fitting = Size(*(max(side, smallest) for side in size))
    else:
        factor = 2 ** int(math.log2(size.smaller / smallest))
        fitting = Size(*(side // factor * factor for side in size))
    raise ValueError(
        f"resolution={size} does not fit: networks that grow halve height and width together down "
        f"to {smallest} to {2 * smallest - 1} pixels of the smaller one, without a remainder: set "
        f"data.resolution to, say, {fitting}"
    )


def _is_a_side(side: object) -> bool:
    return type(side) is int and 1 <= side <= LARGEST
