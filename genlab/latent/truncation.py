"""Draws of a normal distribution, closer to its mean: less variety, better images."""

import torch
from torch import Tensor


def truncated_normal(draws: Tensor, truncation: float) -> Tensor:
    """Draws from N(0, 1), of any shape, as draws from N(0, 1) within -truncation to truncation.

    Brock et al. 2019, section 3.1, https://arxiv.org/abs/1809.11096, draw values again until they
    lie within. Here each value moves to the same quantile of the truncated distribution,
    Phi^-1(Phi(-t) + (2 Phi(t) - 1) Phi(z)), so that an image changes smoothly with t > 0 and is
    that of the draws themselves for large t. The map is odd: the lower half, where Phi keeps its
    digits, serves for both.
    """
    outside = torch.special.ndtr(torch.tensor(-truncation, dtype=torch.float64))
    lower = -draws.double().abs()
    quantile = outside + (1 - 2 * outside) * torch.special.ndtr(lower)
    moved = torch.special.ndtri(quantile).clamp(min=-truncation)
    return torch.copysign(moved, draws.double()).to(draws.dtype)
