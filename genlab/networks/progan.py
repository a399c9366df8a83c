"""The networks of the progressive GAN, for sizes that `doublings` leads to.

Karras et al. 2018, "Progressive Growing of GANs", table 2, https://arxiv.org/abs/1710.10196.
"""

import math
from itertools import pairwise

from torch import Tensor, nn

from genlab.networks.chain import Chain
from genlab.networks.equalised import HE, Conv2d, Linear, PixelNorm
from genlab.networks.growing import enlarged, faded, maps, reduced
from genlab.networks.resampling import Blur
from genlab.sizes import Resolution, doublings


class Decoder(Chain):
    """Vector (B, inputs) to image (B, channels, H, W).

    Args:
        inputs: width of the vector, which is normalised.
        resolution, channels: of the image.
        base, most: a map of s x s pixels has min(base / s, most) channels; a rectangle has those
            of a square of its area.
    """

    grows = True

    def __init__(
        self, inputs: int, resolution: Resolution, channels: int, base: int = 16384, most: int = 512
    ) -> None:
        steps = doublings(resolution)
        widths = [maps(size, base, most) for size in steps]
        area = math.prod(steps[0])
        first = nn.Sequential(
            PixelNorm(),
            Linear(inputs, widths[0] * area, gain=HE / math.sqrt(area)),
            nn.Unflatten(1, (widths[0], *steps[0])),
            *_after(),
            Conv2d(widths[0], widths[0]),
            *_after(),
        )
        blocks = [
            nn.Sequential(Conv2d(a, b, resample="up"), *_after(), Conv2d(b, b), *_after())
            for a, b in pairwise(widths)
        ]
        super().__init__([first, *blocks], (channels, *steps[-1]))
        self.sides = [size.smaller for size in steps]
        self.to_picture = nn.ModuleList(Conv2d(width, channels, 1, gain=1.0) for width in widths)

    def forward(self, values: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
        """(B, inputs) to the image of a stage, (B, channels, H, W)."""
        last = self.sides.index(resolution or self.sides[-1])
        before = values
        for block in self.blocks[: last + 1]:
            before, values = values, block(values)
        picture: Tensor = self.to_picture[last](values)
        if fade >= 1 or not last:
            return picture
        return faded(enlarged(self.to_picture[last - 1](before)), picture, fade)


class Encoder(Chain):
    """Image (B, channels, H, W) to a map (B, maps, h, w): a critic's body.

    Args:
        resolution, channels: of the image.
        base, most: as in the decoder.
        blur: low-pass filter maps before they are halved, as StyleGAN does.
    """

    grows = True

    def __init__(
        self,
        resolution: Resolution,
        channels: int,
        base: int = 16384,
        most: int = 512,
        blur: bool = False,
    ) -> None:
        steps = doublings(resolution)
        widths = [maps(size, base, most) for size in steps]
        blocks = [
            nn.Sequential(
                Conv2d(large, large),
                nn.LeakyReLU(0.2),
                *([Blur((1, 2, 1))] if blur else []),
                Conv2d(large, small, resample="down"),
                nn.LeakyReLU(0.2),
            )
            for small, large in pairwise(widths)
        ]
        super().__init__(blocks, (widths[0], *steps[0]))
        self.sides = [size.smaller for size in steps]
        self.from_picture = nn.ModuleList(
            nn.Sequential(Conv2d(channels, width, 1), nn.LeakyReLU(0.2)) for width in widths
        )

    def forward(self, values: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
        """The image of a stage to (B, maps, h, w), the size of the first map."""
        last = self.sides.index(resolution or self.sides[-1])
        images, values = values, self.from_picture[last](values)
        for index in range(last, 0, -1):
            values = self.blocks[index - 1](values)
            if index == last and fade < 1:
                coarse = self.from_picture[last - 1](reduced(images))
                values = faded(coarse, values, fade)
        return values


def _after() -> list[nn.Module]:
    return [nn.LeakyReLU(0.2), PixelNorm()]
