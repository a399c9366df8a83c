"""Networks from images to images: residual ones and U-Nets."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab import bounds
from genlab.networks.convolutional import widths
from genlab.networks.layers import activation as new_activation
from genlab.networks.layers import initialise_weights, refuse_unknown_normalisation, sizes
from genlab.networks.layers import normalisation as new_normalisation
from genlab.networks.resampling import ResampledConv2d
from genlab.sizes import Resolution


class Residual(nn.Module):
    """(B, inputs, h, w) to (B, channels, scale * h, scale * w) by residual blocks at one size.

    With a scale above 1 and pixel shuffling the generator of SRGAN (Ledig et al. 2017, figure 4,
    https://arxiv.org/abs/1609.04802); with halvings and instance normalisation that of CycleGAN
    (Zhu et al. 2017, section 7.2, https://arxiv.org/abs/1703.10593). Nothing depends on the size
    of an image.

    Args:
        inputs, channels: of what comes in and goes out.
        scale: side of what goes out over that of what comes in, a power of two.
        width: maps of the blocks at full size, doubled by every halving.
        blocks: residual blocks.
        halvings: of the image before the blocks, undone behind them.
        kernel: of the first and last convolution, odd.
        normalisation: in the blocks and where sizes change.
        output: activation of the last layer.
        weight_deviation: see `initialise_weights`; None for torch's own.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        scale: int = 1,
        width: int = 64,
        blocks: int = 6,
        halvings: int = 0,
        kernel: int = 3,
        normalisation: str = "batch",
        output: str = "tanh",
        weight_deviation: float | None = None,
    ) -> None:
        super().__init__()
        bounds.widths(width=width)
        bounds.depths(blocks=blocks)
        bounds.whole(0, 10, halvings=halvings)
        bounds.whole(1, 99, kernel=kernel)
        if kernel % 2 == 0:
            raise ValueError(f"kernel={kernel} must be odd")
        maps = [width * 2**level for level in range(halvings + 1)]
        wide = maps[-1]
        doublings = int(math.log2(scale))

        def after(count: int) -> list[nn.Module]:
            return [new_normalisation(normalisation, count), nn.ReLU(inplace=True)]

        first = [nn.Conv2d(inputs, width, kernel, padding=kernel // 2), nn.ReLU(inplace=True)]
        for a, b in pairwise(maps):
            first += [nn.Conv2d(a, b, 3, stride=2, padding=1), *after(b)]
        self.first = nn.Sequential(*first)
        self.blocks = nn.Sequential(*[_Block(wide, normalisation) for _ in range(blocks)])
        self.joint = nn.Conv2d(wide, wide, 3, padding=1)
        last: list[nn.Module] = []
        for a, b in pairwise(reversed(maps)):
            last += [ResampledConv2d(a, b, "up"), *after(b)]
        for _ in range(doublings):
            shuffled = nn.Conv2d(width, 4 * width, 3, padding=1)
            last += [shuffled, nn.PixelShuffle(2), nn.ReLU(inplace=True)]
        last += [
            nn.Conv2d(width, channels, kernel, padding=kernel // 2),
            new_activation(output, "output"),
        ]
        self.last = nn.Sequential(*last)
        self.multiple = 2**halvings
        self.radius: int | None = None
        """Pixels of what comes in that an output pixel depends on to either side; None for all."""
        if not halvings and normalisation in ("batch", "none"):
            self.radius = 2 * (kernel // 2) + 2 * blocks + 1 + doublings
        if weight_deviation is not None:
            initialise_weights(self, weight_deviation)
        if output == "linear":  # what is added to a naive image begins as nothing
            assert isinstance(self.last[-2], nn.Conv2d)
            nn.init.zeros_(self.last[-2].weight)
            if self.last[-2].bias is not None:
                nn.init.zeros_(self.last[-2].bias)

    def forward(self, values: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, channels, scale * h, scale * w)."""
        values, size = _padded(values, self.multiple)
        first = self.first(values)
        output = self.last(first + self.joint(self.blocks(first)))
        scale = output.shape[-1] // values.shape[-1]
        result: Tensor = output[..., : size[0] * scale, : size[1] * scale]
        return result


class UNet(nn.Module):
    """(B, inputs, h, w) to (B, channels, h, w): halved, doubled again, maps of each size joined.

    The generator of pix2pix (Isola et al. 2017, appendix 6.1.1, https://arxiv.org/abs/1611.07004):
    4x4 convolutions of stride 2 down to 4 to 7 pixels of the smaller side of an image of
    `resolution`, with skip connections. Images of other sizes pass too.

    Args:
        inputs, channels: of what comes in and goes out.
        resolution: of the images that it is trained on.
        scale: 1; a U-Net changes no sizes.
        width, max_width: maps after the first halving, doubled with each up to a most.
        normalisation: of all but the first and last layers.
        dropout: in the first half of the doublings.
        output: activation of the last layer.
        weight_deviation: see `initialise_weights`; None for torch's own.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        resolution: Resolution,
        scale: int = 1,
        width: int = 64,
        max_width: int = 512,
        normalisation: str = "batch",
        dropout: float = 0.0,
        output: str = "tanh",
        weight_deviation: float | None = None,
    ) -> None:
        super().__init__()
        bounds.within(0, 1, dropout=dropout)
        refuse_unknown_normalisation(normalisation)
        if scale != 1:
            raise ValueError("a U-Net changes no sizes: choose translator=residual")
        maps = widths(len(sizes(resolution)) - 1, width, max_width)
        self.halvings = nn.ModuleList()
        for level, (a, b) in enumerate(pairwise([inputs, *maps])):
            norm = "none" if level == 0 else normalisation
            halving = nn.Conv2d(a, b, 4, stride=2, padding=1)
            self.halvings.append(
                nn.Sequential(halving, new_normalisation(norm, b), nn.LeakyReLU(0.2, inplace=True))
            )
        self.doublings = nn.ModuleList()
        joined = [maps[-1], *(2 * count for count in maps[-2::-1])]
        for level, (a, b) in enumerate(zip(joined, [*maps[-2::-1], channels], strict=True)):
            doubling: list[nn.Module] = [nn.ConvTranspose2d(a, b, 4, stride=2, padding=1)]
            if level == len(maps) - 1:
                doubling.append(new_activation(output, "output"))
            else:
                doubling += [new_normalisation(normalisation, b)]
                doubling += [nn.Dropout2d(dropout)] if dropout and level < len(maps) // 2 else []
                doubling.append(nn.ReLU(inplace=True))
            self.doublings.append(nn.Sequential(*doubling))
        self.multiple = 2 ** len(maps)
        if weight_deviation is not None:
            initialise_weights(self, weight_deviation)

    def forward(self, values: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, channels, h, w)."""
        values, (height, width) = _padded(values, self.multiple)
        passed: list[Tensor] = []
        for halving in self.halvings:
            values = halving(values)
            passed.append(values)
        values = passed.pop()
        for doubling in self.doublings:
            values = doubling(values)
            if passed:
                values = torch.cat([values, passed.pop()], 1)
        return values[..., :height, :width]


class _Block(nn.Module):
    """conv-norm-relu-conv-norm beside nothing."""

    def __init__(self, maps: int, normalisation: str) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(maps, maps, 3, padding=1),
            new_normalisation(normalisation, maps),
            nn.ReLU(inplace=True),
            nn.Conv2d(maps, maps, 3, padding=1),
            new_normalisation(normalisation, maps),
        )

    def forward(self, values: Tensor) -> Tensor:
        result: Tensor = values + self.layers(values)
        return result


def _padded(values: Tensor, multiple: int) -> tuple[Tensor, Sequence[int]]:
    """Values with sides made multiples of a number by repeating the border, and the old sides."""
    height, width = values.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if below or right:
        values = F.pad(values, (0, right, 0, below), mode="replicate")
    return values, (height, width)
