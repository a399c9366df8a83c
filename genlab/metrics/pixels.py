"""Likeness of whole images, by their pixels: among generated ones, and to the training part."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

PAIRS = 1000
LARGEST = 32  # pixels that images are averaged down to before they are compared
CHUNK = 500

# Wang, Simoncelli, Bovik 2003, section 3.2: weights of five scales.
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW = 11


def likeness(images: Tensor, pairs: int = PAIRS, seed: int = 0) -> float | None:
    """Mean multi-scale structural similarity of random pairs of uint8 images (N, C, H, W).

    The lower the more varied; to be compared with the value of real images. Odena et al. 2017,
    section 4.2, https://arxiv.org/abs/1610.09585, take pairs of one class, here they are of any.
    Scales of too few pixels are left out and the weights of the others scaled to a sum of 1. None
    for images of less than 11 pixels.
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    side = images.shape[-1]
    if side < _WINDOW or len(images) < 2:
        return None
    weights = torch.tensor(_SCALES[: scales(side)])
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(len(images), (pairs,), generator=generator)
    apart = torch.randint(1, len(images), (pairs,), generator=generator)
    one, other = images[first].float() / 255, images[(first + apart) % len(images)].float() / 255
    values = [
        multiscale_structural_similarity_index_measure(
            *both,
            data_range=1.0,
            betas=tuple((weights / weights.sum()).tolist()),
            normalize="relu",
            reduction="none",
        )
        for both in zip(one.split(CHUNK), other.split(CHUNK), strict=True)
    ]
    return float(torch.cat(values).mean())


def scales(side: int) -> int:
    """How many scales images of `side` pixels have room for, as torchmetrics demands it."""
    return max(
        n
        for n in range(1, len(_SCALES) + 1)
        if n == 1 or (side >> (n - 1) >= _WINDOW and side // (n - 1) ** 2 >= _WINDOW)
    )


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Distances (N, k), nearest first, and the places (N, k) of the neighbours."""

    distances: Tensor
    indices: Tensor


def nearest(images: Tensor, among: Tensor, count: int = 1) -> Neighbours:
    """The `count` nearest of uint8 images (M, C, H, W) to each of (N, C, H, W).

    By the root of the mean squared difference of pixels on [0, 1]. Images above 32 pixels are
    averaged down first.
    """
    distances: list[Tensor] = []
    indices: list[Tensor] = []
    for part in images.split(CHUNK):
        points = _points(part)
        best = Neighbours(torch.full((len(points), 0), 0.0), torch.zeros(len(points), 0).long())
        for start in range(0, len(among), CHUNK):  # a large set does not fit into memory as floats
            best = _nearer(best, points, _points(among[start : start + CHUNK]), start, count)
        distances.append(best.distances)
        indices.append(best.indices)
    return Neighbours(torch.cat(distances), torch.cat(indices))


def _nearer(best: Neighbours, points: Tensor, others: Tensor, start: int, count: int) -> Neighbours:
    """The `count` nearest of the best ones so far and of others, whose first place is `start`."""
    squared = points.square().sum(1, keepdim=True) + others.square().sum(1)
    squared = squared - 2 * points @ others.mT
    found = squared.topk(min(count, len(others)), largest=False).indices
    # Rounding of the sum above would hide a copy: the few that count are taken again.
    exact = (points[:, None] - others[found]).square().mean(2).sqrt()
    distances = torch.cat([best.distances, exact], 1)
    order = distances.argsort(dim=1, stable=True)[:, :count]
    indices = torch.cat([best.indices, found + start], 1)
    return Neighbours(distances.gather(1, order), indices.gather(1, order))


def _points(images: Tensor) -> Tensor:
    """(N, C, H, W) to (N, pixels) on [0, 1]."""
    values = images.float() / 255
    if values.shape[-1] > LARGEST:
        values = F.adaptive_avg_pool2d(values, LARGEST)
    return values.flatten(1)
