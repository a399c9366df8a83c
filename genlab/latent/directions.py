"""Directions in a space of codes: those of most change, and steps that every code has its own of.

Codes are (N, n), directions (n,) or rows of (K, n), all on the CPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


def ganspace(codes: Tensor, count: int) -> Tensor:
    """The `count` directions of most variance, of length 1 (GANSpace: PCA of styles).

    Harkonen et al. 2020, https://arxiv.org/abs/2004.02546.
    """
    from sklearn.decomposition import PCA

    components = PCA(count, random_state=0).fit(codes.numpy()).components_
    return torch.from_numpy(components.astype(np.float32))


def sefa(weights: Sequence[Tensor], count: int) -> Tensor:
    """The `count` directions of length 1 that layers (outputs, n) amplify most (SeFa).

    Shen & Zhou 2021, https://arxiv.org/abs/2007.06600: the leading eigenvectors of A^T A, with the
    weights A of all layers that take a style one above the other.
    """
    _, _, directions = torch.linalg.svd(torch.cat(list(weights)), full_matrices=False)
    result: Tensor = directions[:count]
    return result


def in_deviations(directions: Tensor, codes: Tensor) -> Tensor:
    """Directions (K, n) with the length of one standard deviation of the codes along them."""
    units = directions / directions.norm(dim=1, keepdim=True)
    result: Tensor = units * (codes @ units.T).std(0, correction=0)[:, None]
    return result


@dataclass(frozen=True)
class LatentDirection:
    """An offset of every code (..., n), affine in it: offset (n,) + codes @ matrix (n, n)."""

    offset: Tensor
    matrix: Tensor

    @classmethod
    def constant(cls, direction: Tensor) -> "LatentDirection":
        """The same direction (n,) for all codes."""
        return cls(direction, direction.new_zeros(2 * direction.shape))

    def __call__(self, codes: Tensor) -> Tensor:
        """The offsets (..., n) of codes (..., n)."""
        return self.offset + codes @ self.matrix

    def __add__(self, other: "LatentDirection") -> "LatentDirection":
        return LatentDirection(self.offset + other.offset, self.matrix + other.matrix)

    def __rmul__(self, factor: float) -> "LatentDirection":
        return LatentDirection(factor * self.offset, factor * self.matrix)
