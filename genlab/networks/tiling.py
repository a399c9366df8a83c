"""Networks over images that are too large for them, piece by piece."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Tile(NamedTuple):
    """A square of an image: what it covers, and what a network has to see for it."""

    covered: tuple[slice, slice]
    seen: tuple[slice, slice]


def tiles(height: int, width: int, side: int, margin: int) -> Iterator[Tile]:
    """Tiles of `side` pixels that cover an image once, each seen with a margin around it.

    What is seen has one size, but for images that are smaller: at edges it reaches further in.
    Libraries prepare, and keep in memory, a convolution for every size that they meet.
    """
    for top in range(0, height, side):
        for left in range(0, width, side):
            covered = (slice(top, min(top + side, height)), slice(left, min(left + side, width)))
            seen = (_seen(top, height, side, margin), _seen(left, width, side, margin))
            yield Tile(covered, seen)


def _seen(start: int, length: int, side: int, margin: int) -> slice:
    """What is seen along one axis of a tile that starts there."""
    first = max(min(start - margin, length - side - 2 * margin), 0)
    return slice(first, min(first + side + 2 * margin, length))


def in_tiles(
    function: Callable[[Tensor], Tensor],
    picture: Tensor,
    scale: int,
    side: int,
    margin: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """`function` of an image (C, h, w), as the whole would give it where the margin suffices.

    Args:
        function: (1, C, h', w') to uint8 (1, C', scale * h', scale * w').
        image: of any size.
        scale: see `function`.
        side: of the tiles.
        margin: pixels around a tile that its result depends on: the function's receptive radius.
        advance: called with 1 after every tile.
    """
    height, width = picture.shape[-2:]
    whole: Tensor | None = None
    for (rows, columns), seen in tiles(height, width, side, margin):
        made = function(picture[None, :, seen[0], seen[1]])[0].cpu()
        if whole is None:
            whole = torch.empty(len(made), height * scale, width * scale, dtype=made.dtype)
        top, left = (
            (covered.start - shown.start) * scale
            for covered, shown in zip((rows, columns), seen, strict=True)
        )
        high, wide = ((part.stop - part.start) * scale for part in (rows, columns))
        whole[
            :,
            rows.start * scale : rows.stop * scale,
            columns.start * scale : columns.stop * scale,
        ] = made[:, top : top + high, left : left + wide]
        advance(1)
    assert whole is not None
    return whole
