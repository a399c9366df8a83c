"""The networks of StyleGAN2: modulated convolutions, skip and residual forms.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN",
https://arxiv.org/abs/1912.04958. Its activations are leaky ReLUs times sqrt 2; here the factor is
the gain of the weights before them, so biases and noise strengths are sqrt 2 times theirs.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.networks.chain import Chain
from genlab.networks.equalised import HE, Conv2d
from genlab.networks.growing import maps
from genlab.networks.layers import refuse_unknown
from genlab.networks.modulated import ModulatedConv2d
from genlab.networks.noise import Noise
from genlab.networks.resampling import FILTER, Blur, Enlarge
from genlab.networks.styles import Synthesis
from genlab.sizes import Resolution, Size, doublings

FORMS = ("skip", "residual")


class Decoder(Synthesis):
    """Styles (B, layers, style) to image (B, channels, H, W).

    Args:
        style: width of a style.
        resolution, channels: of the image.
        base, most: a map of s x s pixels has min(base / s, most) channels; a rectangle has those
            of a square of its area.
        form: skip (images of all resolutions add up) or residual.
        modulation: see `ModulatedConv2d`.
    """

    def __init__(
        self,
        style: int,
        resolution: Resolution,
        channels: int,
        base: int = 32768,
        most: int = 512,
        form: str = "skip",
        modulation: str = "auto",
    ) -> None:
        refuse_unknown("form", form, FORMS)
        steps = doublings(resolution)
        widths = [maps(size, base, most) for size in steps]
        blocks: list[nn.Module] = [_First(widths[0], steps[0], style, modulation)]
        blocks += [
            _Block(a, b, size, style, modulation, residual=form == "residual")
            for (a, b), size in zip(pairwise(widths), steps[1:], strict=True)
        ]
        super().__init__(blocks, (channels, *steps[-1]), layers=2 * len(steps))
        self.form = form
        heads = widths if form == "skip" else widths[-1:]
        self.to_picture = nn.ModuleList(_ToPicture(w, channels, style, modulation) for w in heads)
        self.enlarge = Enlarge()

    def forward(self, values: Tensor, noise: str = "fixed") -> Tensor:
        """Styles to an image; `noise` is fixed, random or none."""
        styles = values
        picture = None
        for index, block in enumerate(self.blocks):
            first = max(2 * index - 1, 0)
            values = block(values, styles[:, first], styles[:, 2 * index], noise)
            if self.form == "skip":
                made = self.to_picture[index](values, styles[:, 2 * index + 1])
                picture = made if picture is None else self.enlarge(picture) + made
        result: Tensor = self.to_picture[-1](values, styles[:, -1]) if picture is None else picture
        return result


class Encoder(Chain):
    """Image (B, channels, H, W) to a map (B, maps, h, w): a critic's body.

    Args:
        resolution, channels: of the image.
        base, most: as in the decoder.
        form: residual or skip (every resolution sees the image).
    """

    def __init__(
        self,
        resolution: Resolution,
        channels: int,
        base: int = 32768,
        most: int = 512,
        form: str = "residual",
    ) -> None:
        refuse_unknown("form", form, FORMS)
        steps = doublings(resolution)
        widths = [maps(size, base, most) for size in steps][::-1]
        residual = form == "residual"
        blocks = [_Halving(a, b, residual) for a, b in pairwise(widths)]
        super().__init__(blocks, (widths[-1], *steps[0]))
        seeing = widths if form == "skip" else widths[:1]
        self.from_picture = nn.ModuleList(_FromPicture(channels, width) for width in seeing)
        self.reduce = Blur(FILTER, padding=1, stride=2)

    def forward(self, values: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, maps, h, w), the size of the first map."""
        images = values
        values = self.from_picture[0](images)
        for index, block in enumerate(self.blocks, 1):
            values = block(values)
            if len(self.from_picture) > 1:
                images = self.reduce(images)
                values = values + self.from_picture[index](images)
        return values


class _Layer(nn.Module):
    """A modulated convolution, noise, bias and activation."""

    def __init__(
        self, inputs: int, outputs: int, size: Size, style: int, modulation: str, up: bool = False
    ) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, outputs, style, up=up, modulation=modulation)
        self.noise = Noise(size, 1, seed=2 * size.smaller + up)
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, values: Tensor, style: Tensor, noise: str) -> Tensor:
        values = self.noise(self.convolution(values, style), noise)
        return F.leaky_relu(values + self.bias.to(values.dtype), 0.2)


class _ToPicture(nn.Module):
    """A modulated 1x1 convolution, without demodulation or activation."""

    def __init__(self, inputs: int, channels: int, style: int, modulation: str) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(
            inputs, channels, style, kernel=1, demodulate=False, gain=1.0, modulation=modulation
        )
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, values: Tensor, style: Tensor) -> Tensor:
        result: Tensor = self.convolution(values, style) + self.bias
        return result


class _First(nn.Module):
    """The learned first map and a layer; `values` are looked at for their number."""

    def __init__(self, channels: int, size: Size, style: int, modulation: str) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(1, channels, *size))
        self.layer = _Layer(channels, channels, size, style, modulation)

    def forward(self, values: Tensor, first: Tensor, second: Tensor, noise: str) -> Tensor:
        result: Tensor = self.layer(self.constant.expand(len(values), -1, -1, -1), first, noise)
        return result


class _Block(nn.Module):
    """Doubles the map: two layers, and an enlarged shortcut in the residual form."""

    def __init__(
        self, inputs: int, outputs: int, size: Size, style: int, modulation: str, residual: bool
    ) -> None:
        super().__init__()
        self.layer1 = _Layer(inputs, outputs, size, style, modulation, up=True)
        self.layer2 = _Layer(outputs, outputs, size, style, modulation)
        self.shortcut = (
            nn.Sequential(Conv2d(inputs, outputs, 1, gain=1.0, bias=False), Enlarge())
            if residual
            else None
        )

    def forward(self, values: Tensor, first: Tensor, second: Tensor, noise: str) -> Tensor:
        made = self.layer2(self.layer1(values, first, noise), second, noise)
        result: Tensor = made if self.shortcut is None else (made + self.shortcut(values)) / HE
        return result


class _FromPicture(nn.Module):
    """A 1x1 convolution from an image."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.convolution = Conv2d(channels, outputs, 1)

    def forward(self, images: Tensor) -> Tensor:
        return F.leaky_relu(self.convolution(images), 0.2)


class _Halving(nn.Module):
    """Two convolutions, the second halves the map, and a halved shortcut in the residual form."""

    def __init__(self, inputs: int, outputs: int, residual: bool) -> None:
        super().__init__()
        self.convolution1 = Conv2d(inputs, inputs)
        self.blur = Blur(FILTER, padding=2)
        self.convolution2 = Conv2d(inputs, outputs, resample="strided")
        self.shortcut = (
            nn.Sequential(
                Blur(FILTER, padding=1, stride=2), Conv2d(inputs, outputs, 1, gain=1.0, bias=False)
            )
            if residual
            else None
        )

    def forward(self, values: Tensor) -> Tensor:
        made = F.leaky_relu(self.convolution1(values), 0.2)
        made = F.leaky_relu(self.convolution2(self.blur(made)), 0.2)
        return made if self.shortcut is None else (made + self.shortcut(values)) / HE
