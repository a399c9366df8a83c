"""Bottlenecks: from an encoder's features to a code, and from a prior to codes.

Every bottleneck is made from the shape of the features and the width `extra` of a condition that
is appended to them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from genlab import bounds
from genlab.networks.layers import activation as new_activation


class Code(Protocol):
    """A named tuple; whatever else it holds, its values (B, n) are what is decoded."""

    @property
    def values(self) -> Tensor: ...  # noqa: D102 - a field

    def _asdict(self) -> dict[str, Tensor]: ...


class Bottleneck(nn.Module, ABC):
    """The middle of an autoencoder. `outputs` is the size of a code, or its (maps, H, W)."""

    outputs: int | tuple[int, ...]

    @abstractmethod
    def forward(self, features: Tensor) -> Code:
        """Features (B, ...) to a code."""

    @abstractmethod
    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, n) values for new images, on the CPU."""

    def posterior(self, code: Code) -> Normal | None:
        """The distribution that the code was drawn from, over (B, codes); None for a point."""
        return None

    def draw(self, code: Code) -> Code:
        """The code with values drawn from its posterior; the code itself where it is a point."""
        return code


class PlainCode(NamedTuple):
    """The code itself, (B, codes)."""

    values: Tensor


class GaussianCode(NamedTuple):
    """A diagonal Gaussian over codes and the value passed on; every field is (B, codes)."""

    values: Tensor
    mean: Tensor
    log_variance: Tensor


class PlainBottleneck(Bottleneck):
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
        bounds.widths(codes=codes)
        if prior not in ("fitted", "normal"):
            raise ValueError(f"prior={prior!r} is none of fitted, normal")
        self.outputs = self.codes = codes
        self.fitted = prior == "fitted"
        self.linear = nn.Linear(math.prod(features) + extra, codes)
        self.activation = new_activation(activation)
        self.code_mean = nn.Buffer(torch.zeros(codes))
        self.code_covariance = nn.Buffer(torch.eye(codes))

    def forward(self, features: Tensor) -> PlainCode:
        """(B, ...) to a code of (B, codes), in single precision."""
        values = self.linear(features.flatten(1)).float()
        if self.training and self.fitted:
            self._fit(values.detach())
        return PlainCode(self.activation(values))

    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, codes) draws from the prior, on the CPU."""
        noise = torch.randn(count, self.codes, generator=generator)
        if self.fitted:
            scales, axes = torch.linalg.eigh(self.code_covariance.double().cpu())
            root = (axes * scales.clamp(min=0).sqrt()).float()
            noise = self.code_mean.cpu() + noise @ root.T
        result: Tensor = self.activation(noise)
        return result

    @torch.no_grad()
    def _fit(self, values: Tensor, momentum: float = 0.01) -> None:
        self.code_mean.lerp_(values.mean(0), momentum)
        centred = values - self.code_mean
        with torch.autocast(values.device.type, enabled=False):
            self.code_covariance.lerp_(centred.T @ centred / len(values), momentum)


class GaussianBottleneck(Bottleneck):
    """Features to a Gaussian posterior with the reparameterisation trick.

    Kingma & Welling 2014, section 2.4, https://arxiv.org/abs/1312.6114: z = mean + sd * noise while
    training, the mean in evaluation mode.
    """

    def __init__(self, features: Sequence[int], codes: int, extra: int = 0) -> None:
        super().__init__()
        bounds.widths(codes=codes)
        self.outputs = self.codes = codes
        self.linear = nn.Linear(math.prod(features) + extra, 2 * codes)

    def forward(self, features: Tensor) -> GaussianCode:
        """(B, ...) to a code of (B, codes), in single precision."""
        mean, log_variance = self.linear(features.flatten(1)).float().chunk(2, dim=1)
        code = GaussianCode(mean, mean, log_variance)
        return self.draw(code) if self.training else code

    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, codes) draws from the prior N(0, I), on the CPU."""
        return torch.randn(count, self.codes, generator=generator)

    def posterior(self, code: Code) -> Normal:
        """The code's Gaussian."""
        assert isinstance(code, GaussianCode)
        return Normal(code.mean, torch.exp(0.5 * code.log_variance))

    def draw(self, code: Code) -> GaussianCode:
        """The code with values drawn from its posterior; gradients pass to mean and variance."""
        assert isinstance(code, GaussianCode)
        deviation = torch.exp(0.5 * code.log_variance)
        return code._replace(values=code.mean + deviation * torch.randn_like(code.mean))
