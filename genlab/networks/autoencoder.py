"""An autoencoder is an encoder, a bottleneck and a decoder."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class GaussianCode(NamedTuple):
    """A diagonal Gaussian over codes and the value passed on; every field is (B, codes)."""

    values: Tensor
    mean: Tensor
    log_variance: Tensor


class Reconstruction(NamedTuple):
    """The decoder's raw output (B, C, H, W) and the code it was made from."""

    output: Tensor
    code: GaussianCode


class GaussianBottleneck(nn.Module):
    """Features (B, features) to a Gaussian posterior with the reparameterisation trick.

    Kingma & Welling 2014, section 2.4, https://arxiv.org/abs/1312.6114: z = mean + sd * noise while
    training, the mean in evaluation mode.
    """

    def __init__(self, features: int, codes: int) -> None:
        super().__init__()
        if codes < 1:
            raise ValueError(f"codes={codes} must be at least 1")
        self.codes = codes
        self.posterior = nn.Linear(features, 2 * codes)

    def forward(self, features: Tensor) -> GaussianCode:
        """(B, features) to a code of (B, codes), in single precision."""
        mean, log_variance = self.posterior(features).float().chunk(2, dim=1)
        values = mean
        if self.training:
            values = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return GaussianCode(values, mean, log_variance)

    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, codes) draws from the prior N(0, I), on the CPU."""
        return torch.randn(count, self.codes, generator=generator)


class Autoencoder(nn.Module):
    """`encoder`: image to features; `bottleneck`: features to a code; `decoder`: code to image."""

    def __init__(
        self, encoder: nn.Module, bottleneck: GaussianBottleneck, decoder: nn.Module
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder

    def encode(self, images: Tensor) -> GaussianCode:
        """(B, C, H, W) in [-1, 1] to a code."""
        return self.bottleneck(self.encoder(images))

    def decode(self, values: Tensor) -> Tensor:
        """(B, codes) to the raw output (B, C, H, W)."""
        return self.decoder(values)

    def forward(self, images: Tensor) -> Reconstruction:
        """(B, C, H, W) in [-1, 1] to the raw output and the code."""
        code = self.encode(images)
        return Reconstruction(self.decode(code.values), code)
