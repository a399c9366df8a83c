"""Convolutions whose weights a style scales.

Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 2.2.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.networks.equalised import HE, Linear
from genlab.networks.layers import refuse_unknown
from genlab.networks.resampling import FILTER, Blur

MODULATIONS = ("auto", "scaled", "grouped")


class ModulatedConv2d(nn.Module):
    """A convolution whose weights are scaled by a style, and brought back to unit deviation.

    w'_ijk = s_i w_ijk, w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + eps).

    Args:
        inputs, outputs: channels.
        style: width of a style.
        kernel: 1 or 3.
        demodulate: bring weights back to unit deviation.
        gain: of the weights.
        up: double the map and filter it.
        modulation: grouped (weights for every image, one grouped convolution), scaled
            (activations scaled before and behind one shared convolution: the same in exact
            arithmetic), or auto: grouped on a GPU where no gradients are wanted, else scaled.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        style: int,
        kernel: int = 3,
        demodulate: bool = True,
        gain: float = HE,
        up: bool = False,
        modulation: str = "auto",
    ) -> None:
        super().__init__()
        refuse_unknown("modulation", modulation, MODULATIONS)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.affine = Linear(style, inputs, gain=1.0, bias=1.0)
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.demodulate = demodulate
        self.gain = gain
        self.modulation = modulation
        self.blur = Blur(FILTER, padding=1, gain=4.0) if up else None

    def forward(self, values: Tensor, style: Tensor) -> Tensor:
        """(B, inputs, H, W) and (B, style) to (B, outputs, H', W')."""
        scales = self.affine(style)
        grouped = self.modulation == "grouped" or (
            self.modulation == "auto" and values.is_cuda and not torch.is_grad_enabled()
        )
        made = self._grouped(values, scales) if grouped else self._scaled(values, scales)
        return made if self.blur is None else self.blur(made)

    def _scaled(self, values: Tensor, scales: Tensor) -> Tensor:
        weight = self.weight * self.scale
        values = values * scales[:, :, None, None].to(values.dtype)
        if self.blur is not None:
            values = F.conv_transpose2d(values, weight.transpose(0, 1), stride=2)
        else:
            values = F.conv2d(values, weight, padding=weight.shape[-1] // 2)
        return values * self._factors(scales)[:, :, None, None].to(values.dtype)

    def _grouped(self, values: Tensor, scales: Tensor) -> Tensor:
        count, inputs, *sides = values.shape
        weights = self.weight * self.scale * scales[:, None, :, None, None]
        weights = weights * self._factors(scales)[:, :, None, None, None]
        joined = values.reshape(1, count * inputs, *sides)
        if self.blur is not None:
            weights = weights.transpose(1, 2).flatten(0, 1)
            made = F.conv_transpose2d(joined, weights, stride=2, groups=count)
        else:
            padding = weights.shape[-1] // 2
            made = F.conv2d(joined, weights.flatten(0, 1), padding=padding, groups=count)
        return made.view(count, -1, *made.shape[2:])

    def _factors(self, scales: Tensor) -> Tensor:
        """What the outputs of every image are multiplied by, (B, outputs or 1)."""
        if not self.demodulate:
            return scales.new_full((len(scales), 1), self.gain)
        squares = (self.weight * self.scale).float().square().sum((2, 3))
        return self.gain * (scales.float().square() @ squares.T + 1e-8).rsqrt()
