"""Grids of labelled samples: one class per row, with its name."""

import math
from collections.abc import Mapping, Sequence

import torch
from PIL import Image
from torch import Tensor

from genlab.drawing.image_grid import grid, shortened, with_caption, with_row_captions

MOST_CLASSES = 40  # that a grid has rows for


def shown_label(
    labels: Mapping[str, Tensor], classes: Mapping[str, Sequence[str]]
) -> tuple[Tensor, list[str]] | None:
    """The first label with several classes, as numbers (N,) and names; None without such a label.

    Args:
        labels: class numbers (N,) by label.
        classes: names by label.
    """
    for name, numbers in labels.items():
        if 1 < len(numbers.unique()) <= MOST_CLASSES:
            return numbers.cpu(), list(classes[name])
    return None


def by_class(
    images: Tensor, numbers: Tensor, names: Sequence[str], caption: str = ""
) -> Image.Image:
    """Images uint8 (N, C, H, W) in rows of one class each, with its name to the left.

    The sheet is about as wide as high; a class has as many rows as it needs, and its images keep
    their order. Unused cells are white.
    """
    present = numbers.unique().tolist()
    most = int(numbers.bincount().max())
    columns = min(most, math.ceil(math.sqrt(len(images))))
    rows = math.ceil(most / columns)
    cells = torch.full((len(present) * rows * columns, *images.shape[1:]), 255, dtype=torch.uint8)
    captions = []
    for place, number in enumerate(present):
        chosen = images[numbers == number]
        cells[place * rows * columns :][: len(chosen)] = chosen.cpu()
        captions += [shortened(str(names[number])), *[""] * (rows - 1)]
    sheet = with_row_captions(grid(cells, columns), captions)
    return with_caption(sheet, caption) if caption else sheet
