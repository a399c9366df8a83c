"""Sheets of images: grids, and points of the plane over the density of real ones."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.drawing.pictures import grid
from genlab.drawing.planes import over_density
from genlab.pixels import normalise

POINTS = 20_000  # real ones whose density is shown


def are_points(images: np.ndarray | Tensor) -> bool:
    """Whether images (N, C, H, W) are points of the plane: two channels of one pixel."""
    return tuple(images.shape[1:]) == (2, 1, 1)


def sheet(
    pictures: Tensor, caption: str = "", columns: int | None = None, reals: Tensor | None = None
) -> Image.Image:
    """A grid of images, uint8 (N, C, H, W); points of the plane over the density of `reals`."""
    if not are_points(pictures):
        return grid(pictures, columns, caption)
    points, behind = (
        normalise(points.cpu()).flatten(1).numpy()
        for points in (pictures, pictures if reals is None else reals)
    )
    return over_density(points, behind, caption)


def beside(*views: Tensor) -> Tensor:
    """Every image of the first view followed by the same of the others, (views * N, C, H, W)."""
    return torch.stack([view.cpu() for view in views], 1).flatten(0, 1)
