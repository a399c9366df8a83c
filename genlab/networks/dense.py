"""Fully connected encoder and decoder."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from genlab import bounds
from genlab.networks.chain import Chain
from genlab.networks.layers import activation as new_activation
from genlab.networks.layers import refuse_unknown
from genlab.sizes import Resolution, height_and_width


class Encoder(Chain):
    """Image (B, channels, H, W) to vector (B, widths[-1]).

    `widths` are the hidden layers, from the image inwards; the last of them is the output. Without
    any, the output is the image itself. `normalisation` is none or layer.
    """

    def __init__(
        self,
        resolution: Resolution,
        channels: int,
        widths: Sequence[int],
        activation: str = "relu",
        normalisation: str = "none",
    ) -> None:
        refuse_unknown("normalisation", normalisation, ("none", "layer"))
        bounds.widths(widths=widths)
        shape = (channels, *height_and_width(resolution))
        sizes = [math.prod(shape), *widths]
        blocks = [
            nn.Sequential(
                nn.Flatten(),
                nn.Linear(inputs, outputs),
                *([nn.LayerNorm(outputs)] if normalisation == "layer" else []),
                new_activation(activation),
            )
            for inputs, outputs in pairwise(sizes)
        ]
        super().__init__(blocks, sizes[-1:] if widths else shape)


class Decoder(Chain):
    """Vector (B, inputs) to image (B, channels, H, W).

    `widths` are the hidden layers of the encoder that it mirrors, from the image inwards.
    """

    def __init__(
        self,
        inputs: int,
        resolution: Resolution,
        channels: int,
        widths: Sequence[int],
        activation: str = "relu",
        output: str = "linear",
    ) -> None:
        shape = (channels, *height_and_width(resolution))
        bounds.widths(widths=widths)
        sizes = [inputs, *reversed(widths)]
        blocks = [
            nn.Sequential(nn.Linear(a, b), new_activation(activation)) for a, b in pairwise(sizes)
        ]
        last = nn.Linear(sizes[-1], math.prod(shape))
        blocks.append(nn.Sequential(last, new_activation(output, "output"), nn.Unflatten(1, shape)))
        super().__init__(blocks, shape)
