"""How far a decoder's raw output is from the image, and the image that it stands for.

Each objective is called with the raw output and the target in [-1, 1], both (B, C, H, W), and
returns one value per image, (B,), averaged over pixels and channels. `image` maps the raw output
to [-1, 1]; `log_probability` is the log density of the image in nats, (B,), with pixels on [0, 1].
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Likelihood(Protocol):
    """What every objective here offers."""

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) mean error per pixel."""
        ...

    def image(self, output: Tensor) -> Tensor:
        """The image in [-1, 1]."""
        ...

    def log_probability(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) log density of the whole image."""
        ...


@dataclass(frozen=True)
class SquaredError:
    """Mean squared error per pixel with pixels on [0, 1]; the raw output is the image.

    Up to a constant the negative log density of a Gaussian with variance 1/2 around the output.
    """

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) mean of ((output - target) / 2)^2."""
        return (output.float() - target).square().flatten(1).mean(1) / 4

    def image(self, output: Tensor) -> Tensor:
        """The output, cut to [-1, 1]."""
        return output.clamp(-1, 1)

    def log_probability(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) log density of N(output, 1/2)."""
        return -(self(output, target) + 0.5 * math.log(math.pi)) * target[0].numel()


@dataclass(frozen=True)
class AbsoluteError:
    """Mean absolute error per pixel with pixels on [0, 1]; the raw output is the image.

    Up to a constant the negative log density of a Laplace distribution of scale 1 around the
    output.
    """

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) mean of |output - target| / 2."""
        return (output.float() - target).abs().flatten(1).mean(1) / 2

    def image(self, output: Tensor) -> Tensor:
        """The output, cut to [-1, 1]."""
        return output.clamp(-1, 1)

    def log_probability(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) log density of Laplace(output, 1)."""
        return -(self(output, target) + math.log(2)) * target[0].numel()


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """-log p(pixel) of a Bernoulli whose logit is the raw output, in nats per pixel.

    Kingma & Welling 2014, appendix C.1; pixels on [0, 1] count as probabilities.
    """

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) mean cross-entropy per pixel."""
        losses = F.binary_cross_entropy_with_logits(
            output.float(), (target + 1) / 2, reduction="none"
        )
        return losses.flatten(1).mean(1)

    def image(self, output: Tensor) -> Tensor:
        """The Bernoulli's mean on [-1, 1]: 2 sigmoid(output) - 1 = tanh(output / 2)."""
        return torch.tanh(output / 2)

    def log_probability(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) log probability; of grey images the usual pseudo-likelihood."""
        return -self(output, target) * target[0].numel()


@dataclass(frozen=True)
class GaussianLikelihood:
    """-log N(pixel; mean, variance) in nats per pixel, pixels on [0, 1].

    The raw output is (B, 2C, H, W): the mean as an image in [-1, 1] and the log variance, learned
    for all pixels together (networks.SharedVariance) or by the decoder for each. Deviations below
    half a grey level (1/510) do not pay.
    """

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) mean negative log density per pixel."""
        mean, log_variance = output.float().chunk(2, dim=1)
        log_variance = log_variance.clamp(min=-2 * math.log(510))
        squares = (mean - target).square() / 4
        losses = math.log(2 * math.pi) + log_variance + squares * torch.exp(-log_variance)
        return losses.flatten(1).mean(1) / 2

    def image(self, output: Tensor) -> Tensor:
        """The mean, cut to [-1, 1]."""
        return output.chunk(2, dim=1)[0].clamp(-1, 1)

    def log_probability(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) log density."""
        return -self(output, target) * target[0].numel()
