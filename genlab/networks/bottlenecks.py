"""Bottlenecks: from an encoder's features to a code, and from a prior to codes.

Every bottleneck is made from the shape of the features and the width `extra` of a condition that
is appended to them, and offers the same: `outputs`, the size of a code as a decoder takes it;
`forward`, features to a code with `values`, (B, n); `prior`, values to decode into new images;
`posterior`, the distribution of codes behind a code, None where there is none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from genlab.networks.layers import activation as new_activation


class Code(Protocol):
    """Whatever else a bottleneck says about a code, its values (B, n) are what is decoded."""

    @property
    def values(self) -> Tensor: ...  # noqa: D102 - a field


class Bottleneck(Protocol):
    """What an autoencoder needs of its middle; a module."""

    @property
    def outputs(self) -> int | tuple[int, ...]:
        """Size of a code: a vector's, or (maps, side, side)."""
        ...

    def __call__(self, features: Tensor) -> Code:
        """Features to a code."""
        ...

    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, n) values for new images, on the CPU."""
        ...

    def posterior(self, code: Code) -> Normal | None:
        """The distribution that the code was drawn from, over (B, codes)."""
        ...


class PlainCode(NamedTuple):
    """The code itself, (B, codes)."""

    values: Tensor


class GaussianCode(NamedTuple):
    """A diagonal Gaussian over codes and the value passed on; every field is (B, codes)."""

    values: Tensor
    mean: Tensor
    log_variance: Tensor


class PlainBottleneck(nn.Module):
    """Features to codes by one linear layer and an activation: a deterministic autoencoder.

    There is no prior in such a model. For sampling a Gaussian is fitted to the codes before their
    activation as training goes on (ex-post density estimation, Ghosh et al. 2020,
    https://arxiv.org/abs/1903.12436), unless `prior` is "normal", for objectives that shape the
    codes into N(0, I).
    """

    def __init__(
        self,
        features: Sequence[int],
        codes: int,
        activation: str = "linear",
        prior: str = "fitted",
        extra: int = 0,
    ) -> None:
        super().__init__()
        _check_codes(codes)
        if prior not in ("fitted", "normal"):
            raise ValueError(f"prior={prior!r} is none of fitted, normal")
        self.outputs = codes
        self.fitted = prior == "fitted"
        self.linear = nn.Linear(math.prod(features) + extra, codes)
        self.activation = new_activation(activation)
        self.register_buffer("code_mean", torch.zeros(codes))
        self.register_buffer("code_covariance", torch.eye(codes))

    def forward(self, features: Tensor) -> PlainCode:
        """(B, ...) to a code of (B, codes), in single precision."""
        values = self.linear(features.flatten(1)).float()
        if self.training and self.fitted:
            self._fit(values.detach())
        return PlainCode(self.activation(values))

    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, codes) draws from the prior, on the CPU."""
        noise = torch.randn(count, self.outputs, generator=generator)
        if self.fitted:
            scales, axes = torch.linalg.eigh(self.code_covariance.double().cpu())
            root = (axes * scales.clamp(min=0).sqrt()).float()
            noise = self.code_mean.cpu() + noise @ root.T
        return self.activation(noise)

    def posterior(self, code: Code) -> None:
        """None: a code is one point."""
        return None

    @torch.no_grad()
    def _fit(self, values: Tensor, momentum: float = 0.01) -> None:
        self.code_mean.lerp_(values.mean(0), momentum)
        centred = values - self.code_mean
        with torch.autocast(values.device.type, enabled=False):
            self.code_covariance.lerp_(centred.T @ centred / len(values), momentum)


class GaussianBottleneck(nn.Module):
    """Features to a Gaussian posterior with the reparameterisation trick.

    Kingma & Welling 2014, section 2.4, https://arxiv.org/abs/1312.6114: z = mean + sd * noise while
    training, the mean in evaluation mode.
    """

    def __init__(self, features: Sequence[int], codes: int, extra: int = 0) -> None:
        super().__init__()
        _check_codes(codes)
        self.outputs = codes
        self.linear = nn.Linear(math.prod(features) + extra, 2 * codes)

    def forward(self, features: Tensor) -> GaussianCode:
        """(B, ...) to a code of (B, codes), in single precision."""
        mean, log_variance = self.linear(features.flatten(1)).float().chunk(2, dim=1)
        values = mean
        if self.training:
            values = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return GaussianCode(values, mean, log_variance)

    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, codes) draws from the prior N(0, I), on the CPU."""
        return torch.randn(count, self.outputs, generator=generator)

    def posterior(self, code: Code) -> Normal:
        """The code's Gaussian."""
        assert isinstance(code, GaussianCode)
        return Normal(code.mean, torch.exp(0.5 * code.log_variance))


def _check_codes(codes: int) -> None:
    if not isinstance(codes, int) or codes < 1:
        raise ValueError(f"codes={codes} must be a whole number, at least 1")
