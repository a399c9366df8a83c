"""The networks of the progressive GAN, for any power of two from 4 pixels on.

Karras et al. 2018, "Progressive Growing of GANs", table 2, https://arxiv.org/abs/1710.10196.
"""

from itertools import pairwise

from torch import Tensor, nn

from genlab.networks.chain import Chain
from genlab.networks.equalised import HE, Conv2d, Linear, PixelNorm
from genlab.networks.growing import enlarged, faded, maps, reduced, sides
from genlab.networks.resampling import Blur


class Decoder(Chain):
    """Vector (B, inputs) to image (B, channels, resolution, resolution).

    Args:
        inputs: width of the vector, which is normalised.
        resolution, channels: of the image.
        base, most: a map of side s has min(base / s, most) channels.
    """

    grows = True

    def __init__(
        self, inputs: int, resolution: int, channels: int, base: int = 16384, most: int = 512
    ) -> None:
        steps = sides(resolution)
        widths = [maps(side, base, most) for side in steps]
        first = nn.Sequential(
            PixelNorm(),
            Linear(inputs, widths[0] * 16, gain=HE / 4),
            nn.Unflatten(1, (widths[0], 4, 4)),
            *_after(),
            Conv2d(widths[0], widths[0]),
            *_after(),
        )
        blocks = [
            nn.Sequential(Conv2d(a, b, resample="up"), *_after(), Conv2d(b, b), *_after())
            for a, b in pairwise(widths)
        ]
        super().__init__([first, *blocks], (channels, resolution, resolution))
        self.sides = steps
        self.to_picture = nn.ModuleList(Conv2d(width, channels, 1, gain=1.0) for width in widths)

    def forward(self, values: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
        """(B, inputs) to the image of a stage, (B, channels, resolution, resolution)."""
        last = self.sides.index(resolution or self.sides[-1])
        before = values
        for block in self.blocks[: last + 1]:
            before, values = values, block(values)
        picture: Tensor = self.to_picture[last](values)
        if fade >= 1 or not last:
            return picture
        return faded(enlarged(self.to_picture[last - 1](before)), picture, fade)


class Encoder(Chain):
    """Image (B, channels, resolution, resolution) to a map (B, maps, 4, 4): a critic's body.

    Args:
        resolution, channels: of the image.
        base, most: as in the decoder.
        blur: low-pass filter maps before they are halved, as StyleGAN does.
    """

    grows = True

    def __init__(
        self,
        resolution: int,
        channels: int,
        base: int = 16384,
        most: int = 512,
        blur: bool = False,
    ) -> None:
        steps = sides(resolution)
        widths = [maps(side, base, most) for side in steps]
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
        super().__init__(blocks, (widths[0], 4, 4))
        self.sides = steps
        self.from_picture = nn.ModuleList(
            nn.Sequential(Conv2d(channels, width, 1), nn.LeakyReLU(0.2)) for width in widths
        )

    def forward(self, values: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
        """The image of a stage to (B, maps, 4, 4)."""
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
