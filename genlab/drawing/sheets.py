"""Sheets of images: grids, and points of the plane over the density of real ones."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.drawing.image_grid import grid
from genlab.drawing.planes import over_density
from genlab.pixels import normalise

POINTS = 20_000  # real points whose density is shown


def are_points(images: np.ndarray | Tensor) -> bool:
    """Whether images (N, C, H, W) are points of the plane: two channels of one pixel."""
    return tuple(images.shape[1:]) == (2, 1, 1)


def sheet(
    images: Tensor, caption: str = "", columns: int | None = None, reals: Tensor | None = None
) -> Image.Image:
    """A grid of images uint8 (N, C, H, W); for points of the plane a plot over `reals`' density."""
    if not are_points(images):
        return grid(images, columns, caption)
    points, behind = (
        normalise(points.cpu()).flatten(1).numpy()
        for points in (images, images if reals is None else reals)
    )
    return over_density(points, behind, caption)


def side_by_side(*views: Tensor) -> Tensor:
    """Every image of the first view followed by those of the other views, (views * N, C, H, W)."""
    return torch.stack([view.cpu() for view in views], 1).flatten(0, 1)
