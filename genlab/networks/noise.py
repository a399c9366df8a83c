"""Maps of noise within the synthesis networks of StyleGAN and StyleGAN2."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.sizes import Resolution, height_and_width

NOISES = ("fixed", "own", "random", "none")
_ODD = (0x9E3779B97F4A7C15 - 2**64, 0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)


class Noise(nn.Module):
    """Adds a map of noise, one for all channels, by a strength that is learned and starts at 0.

    Args:
        size: of the map; a number for a square.
        strengths: one for each channel (StyleGAN), or a single one (StyleGAN2).
        seed: of the map that is always the same, and of those that are an image's own.

    Attributes:
        keys: int64 (B,), what the images' own maps are made of.
    """

    keys: Tensor | None = None

    def __init__(self, size: Resolution, strengths: int, seed: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(strengths, 1, 1))
        fixed = torch.randn(
            1, 1, *height_and_width(size), generator=torch.Generator().manual_seed(seed)
        )
        self.fixed = nn.Buffer(fixed, persistent=False)
        self.seed = seed

    def forward(self, values: Tensor, noise: str, bias: Tensor | None = None) -> Tensor:
        """(B, C, H, W) and a bias (C, 1, 1) to their sum; `noise` is one of NOISES."""
        if noise == "none":
            return values if bias is None else values + bias.to(values.dtype)
        maps = self._maps(values, noise)
        # A dense layer from one number to C: on CPUs faster than to spread the maps over channels.
        strengths = self.strength.flatten(1).expand(values.shape[1], 1)
        spread = F.linear(maps.movedim(1, 3), strengths, None if bias is None else bias.flatten())
        return values + spread.movedim(3, 1).to(values.dtype)

    def _maps(self, values: Tensor, noise: str) -> Tensor:
        """(B or 1, 1, H, W)."""
        if noise == "random":
            return torch.randn_like(values[:, :1])
        if noise == "own" and self.keys is not None:
            height, width = self.fixed.shape[-2:]
            return _normal(self.keys + self.seed, height * width).view(-1, 1, height, width)
        return self.fixed


def keys_of(latents: Tensor) -> Tensor:
    """One well-spread number for each latent, (B, n) to int64 (B,)."""
    bits = latents.float().contiguous().view(torch.int32).long()
    places = torch.arange(bits.shape[1], device=bits.device)
    return _scattered((_scattered(bits + _ODD[0]) * (2 * places + 1)).sum(1))


def _normal(keys: Tensor, count: int) -> Tensor:
    """Draws from N(0, 1), (B, count), as functions of key (B,) and place (Box and Muller 1958)."""
    places = torch.arange(1, count + 1, device=keys.device) * _ODD[0]
    bits = _scattered(_scattered(keys)[:, None] + places)
    low, high = bits & 0xFFFFFF, (bits >> 40) & 0xFFFFFF
    radius = (-2 * ((low.float() + 0.5) / 2**24).log()).sqrt()
    return radius * (2 * math.pi * high.float() / 2**24).cos()


def _scattered(numbers: Tensor) -> Tensor:
    """Int64 to int64, every bit depending on all (the finaliser of splitmix64)."""
    for bits, factor in ((30, _ODD[1]), (27, _ODD[2])):
        numbers = (numbers ^ (numbers >> bits & (1 << 64 - bits) - 1)) * factor
    return numbers ^ (numbers >> 31 & (1 << 33) - 1)
