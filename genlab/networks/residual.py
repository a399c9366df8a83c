"""Residual encoder and decoder: the networks of SNGAN.

Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", tables 3 and 4,
https://arxiv.org/abs/1802.05957, for any even sides. Odd sides of maps are halved too, which rounds
up: 28 pixels become 14, 7 and 4.
"""

import math
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from genlab.networks.chain import Chain
from genlab.networks.convolutional import widths
from genlab.networks.layers import activation as new_activation
from genlab.networks.layers import normalisation as new_normalisation
from genlab.networks.layers import sizes
from genlab.networks.resampling import ResampledConv2d
from genlab.sizes import Resolution, Size


class Encoder(Chain):
    """Image (B, channels, H, W) to features (B, maps): a critic's body.

    Residual blocks that halve the map down to 4 pixels or a few more of its smaller side, one that
    does not, then the sum over positions.
    """

    def __init__(
        self,
        resolution: Resolution,
        channels: int,
        width: int = 64,
        max_width: int = 256,
        normalisation: str = "none",
    ) -> None:
        maps = widths(len(sizes(resolution, "all")) - 1, width, max_width)
        blocks: list[nn.Module] = [_Down(channels, maps[0], "none", first=True)]
        blocks += [_Down(a, b, normalisation) for a, b in pairwise(maps)]
        blocks += [_Down(maps[-1], maps[-1], normalisation, halve=False), _SumOverPositions()]
        super().__init__(blocks, (maps[-1],))


class Decoder(Chain):
    """Vector (B, inputs) to image (B, channels, H, W), the encoder's mirror."""

    def __init__(
        self,
        inputs: int,
        resolution: Resolution,
        channels: int,
        width: int = 64,
        max_width: int = 256,
        normalisation: str = "batch",
        output: str = "tanh",
    ) -> None:
        *doubled, size = sizes(resolution, "all")
        maps = widths(len(doubled), width, max_width)[::-1]
        first = nn.Linear(inputs, maps[0] * math.prod(size))
        blocks: list[nn.Module] = [nn.Sequential(first, nn.Unflatten(1, (maps[0], *size)))]
        blocks += [
            _Up(a, b, normalisation, reached)
            for (a, b), reached in zip(pairwise([maps[0], *maps]), doubled[::-1], strict=True)
        ]
        last = [new_normalisation(normalisation, maps[-1]), new_activation("relu")]
        picture = nn.Conv2d(maps[-1], channels, 3, padding=1)
        blocks.append(nn.Sequential(*last, picture, new_activation(output, "output")))
        super().__init__(blocks, (channels, *doubled[0]))


class _Down(nn.Module):
    """norm-relu-conv-norm-relu-conv-pool beside pool-conv; the first one has no first relu.

    Odd sides that are to be halved get a row or a column of zeros first.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        normalisation: str,
        halve: bool = True,
        first: bool = False,
    ) -> None:
        super().__init__()
        self.norm1 = new_normalisation(normalisation, inputs)
        self.norm2 = new_normalisation(normalisation, outputs)
        self.halve = halve
        self.first = first
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = (
            ResampledConv2d(outputs, outputs, "down")
            if halve
            else nn.Conv2d(outputs, outputs, 3, padding=1)
        )
        skips = inputs == outputs and not halve
        self.skip = nn.Identity() if skips else nn.Conv2d(inputs, outputs, 1)

    def forward(self, values: Tensor) -> Tensor:
        height, width = values.shape[-2:]
        if self.halve and (height % 2 or width % 2):
            values = F.pad(values, (0, width % 2, 0, height % 2))
        hidden = values if self.first else F.relu(self.norm1(values))
        hidden = self.conv2(F.relu(self.norm2(self.conv1(hidden))))
        result: Tensor = hidden + self.skip(F.avg_pool2d(values, 2) if self.halve else values)
        return result


class _Up(nn.Module):
    """norm-relu-double-conv-norm-relu-conv beside double-conv, cropped to the size `reached`."""

    def __init__(self, inputs: int, outputs: int, normalisation: str, reached: Size) -> None:
        super().__init__()
        self.reached = reached
        self.norm1 = new_normalisation(normalisation, inputs)
        self.norm2 = new_normalisation(normalisation, outputs)
        self.conv1 = ResampledConv2d(inputs, outputs, "up")
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, values: Tensor) -> Tensor:
        hidden = self._cropped(self.conv1(F.relu(self.norm1(values))))
        hidden = self.conv2(F.relu(self.norm2(hidden)))
        # A 1x1 convolution before doubling is the one behind it, at a quarter of the cost.
        skipped = F.interpolate(self.skip(values), scale_factor=2, mode="nearest")
        result: Tensor = hidden + self._cropped(skipped)
        return result

    def _cropped(self, values: Tensor) -> Tensor:
        return values[..., : self.reached.height, : self.reached.width]


class _SumOverPositions(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return F.relu(values).sum((2, 3))
