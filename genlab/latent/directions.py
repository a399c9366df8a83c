"""Directions in a space of codes: those that change one thing, and those of most change.

Codes are (N, n), directions (n,) or rows of (K, n), all on the CPU.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

# Of the square that is kept small, as a share of the others' mean: the step's own length.
RIDGE = 1.0


def change(own: Tensor, others: Iterable[Tensor], ridge: float = RIDGE) -> Tensor:
    """The direction (n,) that changes one score of pictures by 1, and all others least.

    Of all d with a mean own change g . d = 1, to first order, the one with the smallest sum of the
    mean squares of the others' changes, E[(h . d)^2], and of ridge * (their mean per number) *
    |d|^2. InterFaceGAN's conditional manipulation (Shen et al. 2020, section 3.2,
    https://arxiv.org/abs/1907.10786) asks as much of the normals of hyperplanes, one for each
    score: its direction is the limit for gradients that are the same everywhere. Here every code
    has gradients of its own, so that changes count which cancel out over the codes.

    Args:
        own: gradients (N, n) of the score to change, by codes.
        others: gradients (N, n) of each score to keep.
        ridge: see above.

    Raises:
        ValueError: a score that does not depend on the codes.
    """
    gradient = own.double().mean(0)
    if not gradient.any():
        raise ValueError("pictures do not change with their codes")
    metric = torch.zeros(own.shape[1], own.shape[1], dtype=torch.double)
    for other in others:
        metric += other.double().T @ other.double() / len(other)
    size = float(metric.diagonal().mean()) or 1.0
    metric.diagonal().add_(ridge * size)
    direction = torch.linalg.solve(metric, gradient)
    return (direction / (gradient @ direction)).float()


def principal(codes: Tensor, count: int) -> Tensor:
    """The `count` directions of most variance, of length 1 (GANSpace: PCA of styles).

    Harkonen et al. 2020, https://arxiv.org/abs/2004.02546.
    """
    from sklearn.decomposition import PCA

    components = PCA(count, random_state=0).fit(codes.numpy()).components_
    return torch.from_numpy(components.astype(np.float32))


def factorised(weights: Sequence[Tensor], count: int) -> Tensor:
    """The `count` directions of length 1 that layers (outputs, n) magnify most (SeFa).

    Shen & Zhou 2021, https://arxiv.org/abs/2007.06600: the leading eigenvectors of A^T A, with the
    weights A of all layers that take a style one above the other.
    """
    _, _, directions = torch.linalg.svd(torch.cat(list(weights)), full_matrices=False)
    return directions[:count]


def in_deviations(directions: Tensor, codes: Tensor) -> Tensor:
    """Directions (K, n) with the length of one standard deviation of the codes along them."""
    units = directions / directions.norm(dim=1, keepdim=True)
    return units * (codes @ units.T).std(0, correction=0)[:, None]
