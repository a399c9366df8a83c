"""Low-pass filters, alone and with a change of size."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FILTER = (1, 3, 3, 1)  # of StyleGAN2


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
        row = torch.tensor(taps, dtype=torch.float32)
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
        row = torch.tensor(taps, dtype=torch.float32)
        kernel = torch.outer(row, row)
        self.kernel = nn.Buffer(kernel / kernel.sum() * 4, persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 2H, 2W)."""
        channels = values.shape[1]
        kernel = self.kernel.to(values.dtype).expand(channels, 1, -1, -1)
        return F.conv_transpose2d(values, kernel, stride=2, padding=1, groups=channels)
