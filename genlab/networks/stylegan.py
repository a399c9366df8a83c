"""The synthesis network of StyleGAN, whose layers are steered by adaptive instance normalisation.

Karras et al. 2019, https://arxiv.org/abs/1812.04948. It goes with the mapping of `StyleDecoder` and
the progressive GAN's critic with `blur`.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.networks.equalised import Conv2d, Linear
from genlab.networks.growing import enlarged, faded, maps
from genlab.networks.noise import Noise
from genlab.networks.resampling import Blur
from genlab.networks.styles import Synthesis
from genlab.sizes import Resolution, Size, doublings


class Decoder(Synthesis):
    """Styles (B, layers, style) to image (B, channels, H, W).

    Args:
        style: width of a style.
        resolution, channels: of the image.
        base, most: a map of s x s pixels has min(base / s, most) channels; a rectangle has those
            of a square of its area.
    """

    grows = True

    def __init__(
        self, style: int, resolution: Resolution, channels: int, base: int = 16384, most: int = 512
    ) -> None:
        steps = doublings(resolution)
        widths = [maps(size, base, most) for size in steps]
        blocks: list[nn.Module] = [_First(widths[0], steps[0], style)]
        blocks += [
            _Block(a, b, size, style)
            for (a, b), size in zip(pairwise(widths), steps[1:], strict=True)
        ]
        super().__init__(blocks, (channels, *steps[-1]), layers=2 * len(steps))
        self.sides = [size.smaller for size in steps]
        self.to_picture = nn.ModuleList(Conv2d(width, channels, 1, gain=1.0) for width in widths)

    def forward(
        self,
        values: Tensor,
        noise: str = "fixed",
        resolution: int | None = None,
        fade: float = 1.0,
    ) -> Tensor:
        """Styles to the image of a stage; `noise` is fixed, random or none."""
        styles = values
        last = self.sides.index(resolution or self.sides[-1])
        before = values = styles
        for index in range(last + 1):
            pair = styles[:, 2 * index], styles[:, 2 * index + 1]
            before, values = values, self.blocks[index](values, *pair, noise)
        picture: Tensor = self.to_picture[last](values)
        if fade >= 1 or not last:
            return picture
        return faded(enlarged(self.to_picture[last - 1](before)), picture, fade)


class AdaptiveNorm(nn.Module):
    """Every map (H, W) with the deviation and the mean that a style asks for (AdaIN).

    Huang & Belongie 2017, https://arxiv.org/abs/1703.06868, as in equation 1 of the paper: a style
    gives s and b for each channel, and the map becomes (1 + s) * (map - mean) / deviation + b.
    """

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.affine = Linear(style, 2 * channels, gain=1.0)

    def forward(self, values: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W) and (B, style) to (B, C, H, W)."""
        scale, offset = self.affine(style).float()[:, None].chunk(2, 2)
        # Channels last, where CPUs take the moments of a map several times as fast.
        centred = values.float().flatten(2).transpose(1, 2)
        centred = centred - centred.mean(1, keepdim=True)
        variance = centred.square().mean(1, keepdim=True)
        factor = (1 + scale) * (variance + 1e-8).rsqrt()
        styled = torch.addcmul(offset, centred, factor).to(values.dtype)
        result: Tensor = styled.transpose(1, 2).unflatten(2, values.shape[2:])
        return result


class _Layer(nn.Module):
    """Noise, bias, leaky ReLU, style: what follows every convolution."""

    def __init__(self, channels: int, size: Size, style: int, seed: int) -> None:
        super().__init__()
        self.noise = Noise(size, channels, seed)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.norm = AdaptiveNorm(channels, style)

    def forward(self, values: Tensor, style: Tensor, noise: str) -> Tensor:
        values = self.noise(values, noise, self.bias)
        result: Tensor = self.norm(F.leaky_relu(values, 0.2), style)
        return result


class _First(nn.Module):
    """The learned first map and a convolution; `values` are looked at for their number."""

    def __init__(self, channels: int, size: Size, style: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.ones(1, channels, *size))
        self.layer1 = _Layer(channels, size, style, seed=0)
        self.convolution = Conv2d(channels, channels, bias=False)
        self.layer2 = _Layer(channels, size, style, seed=1)

    def forward(self, values: Tensor, first: Tensor, second: Tensor, noise: str) -> Tensor:
        values = self.constant.expand(len(values), -1, -1, -1)
        values = self.layer1(values, first, noise)
        result: Tensor = self.layer2(self.convolution(values), second, noise)
        return result


class _Block(nn.Module):
    """Doubles the map: two convolutions, the first with a blur behind it."""

    def __init__(self, inputs: int, outputs: int, size: Size, style: int) -> None:
        super().__init__()
        self.doubling = Conv2d(inputs, outputs, bias=False, resample="up")
        self.blur = Blur((1, 2, 1))
        self.layer1 = _Layer(outputs, size, style, seed=2 * size.smaller)
        self.convolution = Conv2d(outputs, outputs, bias=False)
        self.layer2 = _Layer(outputs, size, style, seed=2 * size.smaller + 1)

    def forward(self, values: Tensor, first: Tensor, second: Tensor, noise: str) -> Tensor:
        values = self.layer1(self.blur(self.doubling(values)), first, noise)
        result: Tensor = self.layer2(self.convolution(values), second, noise)
        return result
