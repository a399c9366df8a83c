"""Random changes of images (B, C, H, W) in [-1, 1], an own one for each; gradients pass.

Noise is drawn from torch's default generators.
"""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor


def uniform(images: Tensor, low: float, high: float) -> Tensor:
    """A number from low to high for each image, (B, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(images), 1, 1, 1, device=images.device)


def translated(images: Tensor) -> Tensor:
    """Shifted by whole pixels, each image by its own, grey coming in."""
    count, _, height, width = images.shape
    reach = int(width / 8 + 0.5)
    rows, columns = (
        torch.randint(-reach, reach + 1, (count, 1), device=images.device)
        + torch.arange(size, device=images.device)
        for size in (height, width)
    )
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    which = torch.arange(count, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[
        which, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]
    ]
    return torch.where(inside[..., None], moved, 0.0).permute(0, 3, 1, 2)


def cut_out(images: Tensor) -> Tensor:
    """A square of half the width, anywhere, also over the edge, set to grey."""
    count, _, height, width = images.shape
    half = width // 4
    masks = []
    for size in (height, width):
        centre = torch.randint(0, size, (count, 1), device=images.device)
        distance = torch.arange(size, device=images.device) - centre
        masks.append((distance >= -half) & (distance < width // 2 - half))
    hole = masks[0][:, None, :, None] & masks[1][:, None, None, :]
    return images.masked_fill(hole, 0.0)


def moved(images: Tensor, p: float) -> Tensor:
    """Blitted and moved, every transformation with probability p.

    A matrix leads from places of the result, from -1 to 1, back to those of the image: what is
    done to the image first is the leftmost factor.
    """
    count, side = len(images), images.shape[-1]

    def chosen(values: Tensor, p: float = p) -> Tensor:
        return _chosen(values, p)

    turns = [chosen(torch.rand(count) * 2 - 1, 1 - math.sqrt(1 - p)) * math.pi for _ in range(2)]
    zoom = torch.exp2(chosen(torch.randn(count)) * 0.2)
    stretch = torch.exp2(chosen(torch.randn(count)) * 0.2)
    whole = torch.round((torch.rand(count, 2) * 2 - 1) * 0.125 * side) * 2 / side
    factors = (
        _scale(1 - 2 * chosen(torch.randint(2, (count,)))),
        _rotation(chosen(torch.randint(4, (count,))) * (math.pi / 2)),
        _shift(chosen(whole)),
        _scale(zoom, zoom),
        _rotation(turns[0]),
        _scale(stretch, 1 / stretch),
        _rotation(turns[1]),
        _shift(chosen(torch.randn(count, 2) * 0.125 * 2)),
    )
    matrix = functools.reduce(torch.matmul, factors).to(images.device)
    where = F.affine_grid(matrix[:, :2], list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), where, padding_mode="reflection", align_corners=False)


def coloured(images: Tensor, p: float) -> Tensor:
    """Other colours, every transformation with probability p."""
    count = len(images)

    def each(values: Tensor) -> Tensor:
        return _chosen(values, p).to(images.device).view(-1, 1, 1, 1)

    images = images + each(torch.randn(count) * 0.2)
    images = images * torch.exp2(each(torch.randn(count)) * 0.5)
    images = images - 2 * images.mean(1, True) * each(torch.randint(2, (count,)))  # flips the luma
    hue = each((torch.rand(count) * 2 - 1) * math.pi)
    if images.shape[1] == 3:
        images = _turned(images, hue)
    grey = images.mean(1, True)
    return grey + (images - grey) * torch.exp2(each(torch.randn(count)))


def _turned(images: Tensor, angle: Tensor) -> Tensor:
    """Colours (B, 3, H, W) turned around the axis of greys by an angle (B, 1, 1, 1).

    Rodrigues: x cos + (k cross x) sin + k (k . x) (1 - cos), k the unit vector along (1, 1, 1).
    """
    across = (images.roll(1, 1) - images.roll(-1, 1)) / math.sqrt(3)
    grey = images.mean(1, True)
    return images * angle.cos() + across * angle.sin() + grey * (1 - angle.cos())


def _chosen(values: Tensor, p: float) -> Tensor:
    """(B, ...) values where a coin of probability p says so, one for each image, else 0."""
    return values * (torch.rand(len(values), *[1] * (values.ndim - 1)) < p)


def _scale(x: Tensor, y: Tensor | None = None) -> Tensor:
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 0] = x
    if y is not None:
        matrix[:, 1, 1] = y
    return matrix


def _rotation(angle: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 1, 0] = angle.sin()
    matrix[:, 0, 1] = -angle.sin()
    return matrix


def _shift(offsets: Tensor) -> Tensor:
    """(B, 2), along x and y."""
    matrix = torch.eye(3).repeat(len(offsets), 1, 1)
    matrix[:, :2, 2] = offsets
    return matrix
