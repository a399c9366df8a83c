"""Layers whose learning rate is equalised: plain N(0, 1) weights, scaled when they are used.

Karras et al. 2018, section 4.1, https://arxiv.org/abs/1710.10196: He's constant
gain / sqrt(fan in) is a factor of the forward pass, so that with Adam every weight changes at the
same speed, whatever its layer's size.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.networks.chain import Chain
from genlab.networks.resampling import Resampled

HE = math.sqrt(2)  # gain for a layer before a (leaky) ReLU


class Linear(nn.Module):
    """(..., inputs) to (..., outputs).

    Args:
        inputs, outputs: widths.
        gain: of the weights.
        rate: learning rate of weights and bias, as a share of the optimizer's.
        bias: its first value; None for no bias.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        gain: float = HE,
        rate: float = 1.0,
        bias: float | None = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = None if bias is None else nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale = gain / math.sqrt(inputs) * rate
        self.rate = rate

    def forward(self, values: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        bias = None if self.bias is None else self.bias * self.rate
        # The same as scaled weights, which are many more numbers.
        return F.linear(values * self.scale, self.weight, bias)


class Conv2d(nn.Module):
    """(B, inputs, H, W) to (B, outputs, H, W), or to twice or half the size.

    `resample="up"` is nearest-neighbour doubling before the convolution, "down" averaging over
    2x2 pixels after it (see `Resampled`); "strided" is every other pixel of a map that is one pixel
    larger, without padding.

    Args:
        inputs, outputs: channels.
        kernel: 1 or 3.
        gain: of the weights.
        bias: add one.
        resample: none, up, down or strided.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        gain: float = HE,
        bias: bool = True,
        resample: str = "none",
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs * kernel**2)
        self.resample = resample
        if resample in ("up", "down"):
            self.resampled = Resampled(resample)

    def forward(self, values: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H', W')."""
        weight = self.weight * self.scale
        if self.resample == "none":
            return F.conv2d(values, weight, self.bias, padding=weight.shape[-1] // 2)
        if self.resample == "strided":
            return F.conv2d(values, weight, self.bias, stride=2)
        result: Tensor = self.resampled(values, weight, self.bias)
        return result


class PixelNorm(nn.Module):
    """Every pixel's features (B, C, ...), divided by their root mean square.

    Karras et al. 2018, section 4.2.
    """

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, ...) to the same shape."""
        size = values.float().square().mean(1, keepdim=True) + 1e-8
        return values * size.rsqrt().to(values.dtype)


class Head(Chain):
    """What stands between a critic's last map and its logit: a convolution and a dense layer.

    Args:
        features: shape (maps, H, W) of the last map with whatever was appended to it, or of
            a vector, (n,), which has the dense layer alone.
        outputs: width of both.
    """

    def __init__(self, features: Sequence[int], outputs: int) -> None:
        maps, *sides = features
        blocks: list[nn.Module] = []
        if sides:
            blocks.append(nn.Sequential(Conv2d(maps, outputs), nn.LeakyReLU(0.2)))
            maps = outputs * math.prod(sides)
        blocks.append(nn.Sequential(nn.Flatten(), Linear(maps, outputs), nn.LeakyReLU(0.2)))
        super().__init__(blocks, [outputs])
