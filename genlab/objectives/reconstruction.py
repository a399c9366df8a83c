"""How far a decoder's raw output is from the image, and the picture that it stands for.

Each objective is called with the raw output and the target in [-1, 1], both (B, C, H, W), and
returns one value per image, (B,), averaged over pixels and channels. `picture` maps the raw output
to [-1, 1].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class SquaredError:
    """Mean squared error per pixel with pixels on [0, 1]; the raw output is the picture."""

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """(B,) mean of ((output - target) / 2)^2."""
        return (output.float() - target).square().flatten(1).mean(1) / 4

    def picture(self, output: Tensor) -> Tensor:
        """The output, cut to [-1, 1]."""
        return output.clamp(-1, 1)


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

    def picture(self, output: Tensor) -> Tensor:
        """The Bernoulli's mean on [-1, 1]: 2 sigmoid(output) - 1 = tanh(output / 2)."""
        return torch.tanh(output / 2)


Likelihood = SquaredError | BinaryCrossEntropy
