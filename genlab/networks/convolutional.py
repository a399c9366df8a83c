"""Strided-convolution encoder and decoder, the shape of DCGAN's critic and generator.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", https://arxiv.org/abs/1511.06434. Its guidelines: strides instead
of pooling, batch normalisation except on the generator's output and the critic's input, no hidden
dense layers, ReLU in the generator, leaky ReLU in the critic.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from genlab import bounds
from genlab.networks.chain import Chain
from genlab.networks.layers import Levels, initialise_weights, refuse_unknown_normalisation, sizes
from genlab.networks.layers import activation as new_activation
from genlab.networks.layers import normalisation as new_normalisation
from genlab.sizes import Resolution, Size


def widths(levels: int, width: int, max_width: int) -> list[int]:
    """Channels after each of `levels` halvings: `width`, doubled at each, at most `max_width`."""
    bounds.widths(width=width, max_width=max_width)
    return [min(width * 2**level, max_width) for level in range(levels)]


class Encoder(Chain):
    """Image (B, channels, H, W) to a map, or to a vector (B, outputs).

    4x4 convolutions of stride 2 as long as both sides of the map can be halved down to 4 pixels or
    more (at most `levels` of them), then one linear layer where `outputs` are asked for. `shape` is
    the shape of what comes out. With `levels` "all" odd sides are halved too, by kernels of 3: 28
    pixels become 14, 7 and 4. `weight_deviation` draws the first weights from N(0, deviation^2)
    instead of torch's default.
    """

    def __init__(
        self,
        resolution: Resolution,
        channels: int,
        outputs: int | None = None,
        width: int = 64,
        max_width: int = 512,
        activation: str = "leaky_relu",
        normalisation: str = "batch",
        levels: Levels = None,
        weight_deviation: float | None = None,
    ) -> None:
        bounds.widths(outputs=outputs)
        refuse_unknown_normalisation(normalisation)
        *halved, size = sizes(resolution, levels)
        blocks: list[nn.Module] = []
        inputs = channels
        for level, maps in enumerate(widths(len(halved), width, max_width)):
            plain = level == 0 or normalisation == "none"
            kernel = _kernel(halved[level])
            layers: list[nn.Module] = [
                nn.Conv2d(inputs, maps, kernel, stride=2, padding=1, bias=plain)
            ]
            if not plain:
                layers.append(new_normalisation(normalisation, maps))
            blocks.append(nn.Sequential(*layers, new_activation(activation)))
            inputs = maps
        shape: tuple[int, ...] = (inputs, *size)
        if outputs is not None:
            blocks.append(nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs)))
            shape = (outputs,)
        super().__init__(blocks, shape)
        if weight_deviation is not None:
            initialise_weights(self, weight_deviation)


class Decoder(Chain):
    """Vector (B, inputs) to image (B, channels, H, W), the encoder's mirror.

    One linear layer to a map of 4 to 7 pixels (its smaller side), then transposed 4x4 convolutions
    of stride 2, with kernels of 3 where an odd side follows.
    Where `inputs` is a shape (maps, h, w), a vector of so many values is taken for a map and
    the first layer is a 3x3 convolution. `output` is the activation of the last layer ("tanh" for
    images in [-1, 1]).
    """

    def __init__(
        self,
        inputs: int | Sequence[int],
        resolution: Resolution,
        channels: int,
        width: int = 64,
        max_width: int = 512,
        activation: str = "relu",
        normalisation: str = "batch",
        output: str = "tanh",
        levels: Levels = None,
        weight_deviation: float | None = None,
    ) -> None:
        refuse_unknown_normalisation(normalisation)
        *doubled, size = sizes(resolution, levels)
        maps = widths(len(doubled), width, max_width)[::-1]
        plain = normalisation == "none"
        first: list[nn.Module]
        if isinstance(inputs, int):
            linear = nn.Linear(inputs, maps[0] * math.prod(size), bias=plain)
            first = [linear, nn.Unflatten(1, (maps[0], *size))]
        else:
            convolution = nn.Conv2d(inputs[0], maps[0], 3, padding=1, bias=plain)
            first = [nn.Unflatten(1, tuple(inputs)), convolution]
        blocks = [nn.Sequential(*first, *_after(maps[0], normalisation, activation))]
        for (current, following), reached in zip(pairwise(maps), doubled[:0:-1], strict=True):
            transposed = _doubling(current, following, reached, bias=plain)
            blocks.append(nn.Sequential(transposed, *_after(following, normalisation, activation)))
        last = _doubling(maps[-1], channels, doubled[0], bias=True)
        blocks.append(nn.Sequential(last, new_activation(output, "output")))
        super().__init__(blocks, (channels, *doubled[0]))
        if weight_deviation is not None:
            initialise_weights(self, weight_deviation)


def _after(channels: int, normalisation: str, activation: str) -> list[nn.Module]:
    return [new_normalisation(normalisation, channels), new_activation(activation)]


def _doubling(inputs: int, outputs: int, reached: Size, bias: bool) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, _kernel(reached), stride=2, padding=1, bias=bias)


def _kernel(size: Size) -> tuple[int, int]:
    """The kernel whose stride of 2 leads from `size` to half of it, rounded up, and back."""
    return 3 if size.height % 2 else 4, 3 if size.width % 2 else 4
