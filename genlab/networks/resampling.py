"""Changes of size joined with convolutions, and low-pass filters."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FILTER = (1, 3, 3, 1)  # of StyleGAN2


class Resampled(nn.Module):
    """A convolution with kernels of 3x3, and nearest-neighbour doubling before or averaging behind.

    "up" doubles maps before the convolution, "down" averages over 2x2 pixels after it. Either is
    one convolution with kernels of 4x4 (the "fused" form of the progressive GAN's networks, Karras
    et al. 2018, https://arxiv.org/abs/1710.10196), for less than half of the work.
    """

    def __init__(self, resample: str) -> None:
        super().__init__()
        self.up = resample == "up"
        # Computed on the CPU, also for networks without memory.
        taps, four = torch.eye(9, device="cpu"), torch.ones(1, 1, 2, 2, device="cpu")
        wide = F.conv2d(F.pad(taps.view(9, 1, 3, 3), (1, 1, 1, 1)), four)
        # What each tap of 3x3 adds to those of 4x4.
        self.widening = nn.Buffer(
            (wide.flip(2, 3) if self.up else wide / 4).flatten(1), persistent=False
        )

    def forward(self, values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """(B, C, H, W), (D, C, 3, 3) and (D,) to (B, D, H', W')."""
        wide = (weight.flatten(2) @ self.widening).unflatten(2, (4, 4))
        if self.up:
            return F.conv_transpose2d(values, wide.transpose(0, 1), bias, stride=2, padding=1)
        return F.conv2d(values, wide, bias, stride=2, padding=1)


class ResampledConv2d(nn.Conv2d):
    """(B, inputs, H, W) to (B, outputs, 2H, 2W) or (B, outputs, H/2, W/2): see `Resampled`."""

    def __init__(self, inputs: int, outputs: int, resample: str) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        self.resampled = Resampled(resample)

    def forward(self, values: Tensor) -> Tensor:
        """To twice or half the size."""
        result: Tensor = self.resampled(values, self.weight, self.bias)
        return result


class Blur(nn.Module):
    """Filters every map with a separable kernel.

    Args:
        taps: of the kernel in one direction, made to sum to `gain` over both.
        padding: zeros before and behind, in both directions; None keeps an odd kernel's size.
        stride: keep every so many pixels only.
        gain: of the whole filter.
    """

    def __init__(
        self,
        taps: Sequence[int] = FILTER,
        padding: int | None = None,
        stride: int = 1,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        row = torch.tensor(taps, dtype=torch.float32, device="cpu")
        kernel = torch.outer(row, row)
        self.kernel = nn.Buffer(kernel / kernel.sum() * gain, persistent=False)
        self.padding = len(taps) // 2 if padding is None else padding
        self.stride = stride

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H', W')."""
        channels = values.shape[1]
        kernel = self.kernel.to(values.dtype).expand(channels, 1, -1, -1)
        # Strided depthwise convolutions have a backward pass that is many times as slow on CPUs.
        filtered = F.conv2d(values, kernel, padding=self.padding, groups=channels)
        return filtered[..., :: self.stride, :: self.stride] if self.stride > 1 else filtered


class Enlarge(nn.Module):
    """Doubles maps and filters them: (B, C, H, W) to (B, C, 2H, 2W)."""

    def __init__(self, taps: Sequence[int] = FILTER) -> None:
        super().__init__()
        row = torch.tensor(taps, dtype=torch.float32, device="cpu")
        kernel = torch.outer(row, row)
        self.kernel = nn.Buffer(kernel / kernel.sum() * 4, persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 2H, 2W)."""
        channels = values.shape[1]
        kernel = self.kernel.to(values.dtype).expand(channels, 1, -1, -1)
        return F.conv_transpose2d(values, kernel, stride=2, padding=1, groups=channels)
