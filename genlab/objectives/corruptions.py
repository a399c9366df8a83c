"""Corruptions of what an autoencoder is given, while its target stays clean.

Each is called with values (B, ...) and the low and high end of their range, and draws from torch's
default generator. Strengths are a number, or a range [from, to] out of which every image draws its
own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab import bounds

End = float | Tensor
Strength = float | Sequence[float]


@dataclass(frozen=True)
class GaussianNoise:
    """Adds N(0, deviation^2); the deviation is a share of the range from low to high.

    With pixels on [0, 1] a deviation of .2 is a noise of .2.
    """

    deviation: Strength

    def __post_init__(self) -> None:
        bounds.at_least(0, deviation=self.deviation)
        _check_range("deviation", self.deviation)

    def __call__(self, values: Tensor, low: End, high: End) -> Tensor:
        """The noisy values, not cut to the range."""
        scale = _draw(self.deviation, values) * (high - low)
        return values + scale * torch.randn_like(values)


@dataclass(frozen=True)
class Masking:
    """Sets a share of the values to the low end (black), as dropout on the input does.

    Vincent et al. 2008, https://dl.acm.org/doi/10.1145/1390156.1390294. The others keep their
    values. With a `patch` of more than one pixel whole squares of an image are hit, in all channels
    (He et al. 2022, https://arxiv.org/abs/2111.06377).
    """

    share: Strength
    patch: int = 1

    def __post_init__(self) -> None:
        bounds.within(0, 1, share=self.share)
        bounds.whole(1, patch=self.patch)
        _check_range("share", self.share)

    def __call__(self, values: Tensor, low: End, high: End) -> Tensor:
        """The values, some of them low."""
        chance = torch.rand_like(values)
        if self.patch > 1 and values.ndim == 4:
            chance = self._by_patch(chance)
        return torch.where(chance < _draw(self.share, values), low, values)

    def _by_patch(self, chance: Tensor) -> Tensor:
        """Every pixel has the chance of its patch's first pixel in the first channel."""
        height, width = chance.shape[-2:]
        coarse = chance[:, :1, :: self.patch, :: self.patch]
        fine = coarse.repeat_interleave(self.patch, -2).repeat_interleave(self.patch, -1)
        return fine[..., :height, :width]


@dataclass(frozen=True)
class SaltAndPepper:
    """Sets a share of the values to the low or the high end, either with the same chance.

    Vincent et al. 2010, https://www.jmlr.org/papers/v11/vincent10a.
    """

    share: Strength

    def __post_init__(self) -> None:
        bounds.within(0, 1, share=self.share)
        _check_range("share", self.share)

    def __call__(self, values: Tensor, low: End, high: End) -> Tensor:
        """The values, some of them low or high."""
        chance, share = torch.rand_like(values), _draw(self.share, values)
        salted = torch.where(chance < share, high, values)
        return torch.where(chance < share / 2, low, salted)


def _draw(strength: Strength, values: Tensor) -> Tensor:
    """One strength per image, (B, 1, ...)."""
    first, last = strength if isinstance(strength, Sequence) else (strength, strength)
    shape = (len(values), *[1] * (values.ndim - 1))
    return first + (last - first) * torch.rand(shape, device=values.device)


def _check_range(name: str, strength: Strength) -> None:
    if isinstance(strength, Sequence) and (len(strength) != 2 or strength[0] > strength[1]):
        raise ValueError(f"{name}={strength} must be a number, or a range [from, to]")
