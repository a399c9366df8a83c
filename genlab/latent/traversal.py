"""What each number of a code does: one of them varied while the others stay."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Strengths(NamedTuple):
    """How much each code is used, (n,), and what that is measured by."""

    values: Tensor
    name: str
    unit: str


def strengths(code: Mapping[str, Tensor]) -> Strengths:
    """Of what an encoder says of N images: the KL of each code's posterior, else its variance.

    The mean over images of KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1 - log s^2) / 2, Kingma &
    Welling 2014, appendix B, https://arxiv.org/abs/1312.6114; a code that the encoder leaves
    unused has 0.
    """
    if {"mean", "log_variance"} <= code.keys():
        mean, log_variance = code["mean"].double(), code["log_variance"].double()
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
        return Strengths(divergence.mean(0), "KL", " nats")
    return Strengths(code["values"].double().var(0, correction=0), "variance", "")


def order(values: Tensor, most: int) -> Tensor:
    """Positions of the `most` largest of (n,) values, the largest first."""
    return values.argsort(descending=True, stable=True)[:most]


def most_typical(values: Tensor) -> int:
    """The position of the code among (N, n) that is nearest to their mean, in deviations."""
    deviation = values.std(0, correction=0).clamp(min=1e-12)
    return int(((values - values.mean(0)) / deviation).square().sum(1).argmin())


def traverse(values: Tensor, start: Tensor, chosen: Tensor, deviations: Tensor) -> Tensor:
    """A code with one number varied at a time.

    Args:
        values: codes of images, (N, n).
        start: the code, (n,): of a real image, as few images look like the mean code's.
        chosen: positions of the numbers to vary, (R,).
        deviations: how far from the start, in standard deviations of that number, (S,).

    Returns:
        codes (R, S, n).
    """
    deviation = values.std(0, correction=0)
    codes = start.repeat(len(chosen), len(deviations), 1)
    for row, position in enumerate(chosen.tolist()):
        codes[row, :, position] += deviations * deviation[position]
    return codes


def lattice(code: Mapping[str, Tensor], side: int) -> Tensor:
    """A square lattice over codes of two numbers, (side * side, 2), in the order of reading.

    The first number grows to the right, the second upwards. For a Gaussian posterior both are the
    1 to 99 % quantiles of the prior N(0, 1), evenly spaced in probability (Kingma & Welling 2014,
    figure 4, https://arxiv.org/abs/1312.6114); else they are evenly spaced between the 1 % and the
    99 % quantile of the codes.
    """
    if {"mean", "log_variance"} <= code.keys():
        quantiles = torch.special.ndtri(torch.linspace(0.01, 0.99, side, dtype=torch.float64))
        across, upwards = quantiles.float(), quantiles.float()
    else:
        values = code["values"]
        low, high = values.quantile(0.01, 0), values.quantile(0.99, 0)
        steps = torch.linspace(0, 1, side)[:, None]
        across, upwards = (low + steps * (high - low)).unbind(1)
    second, first = torch.meshgrid(upwards.flip(0), across, indexing="ij")
    return torch.stack([first.flatten(), second.flatten()], 1)
