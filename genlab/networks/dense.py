"""Fully connected encoder and decoder."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from genlab.networks.layers import activation as new_activation


class Encoder(nn.Module):
    """Image (B, channels, resolution, resolution) to vector (B, widths[-1]).

    `widths` are the hidden layers, from the image inwards; the last of them is the output. Without
    any, the output is the image as a vector. `shape` is the shape of what comes out.
    """

    def __init__(
        self, resolution: int, channels: int, widths: Sequence[int], activation: str = "relu"
    ) -> None:
        super().__init__()
        sizes = [channels * resolution**2, *widths]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Flatten(), nn.Linear(inputs, outputs), new_activation(activation))
            for inputs, outputs in pairwise(sizes)
        )
        self.shape = (sizes[-1],)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, resolution, resolution) to (B, *shape)."""
        values = images.flatten(1)
        for block in self.blocks:
            values = block(values)
        return values


class Decoder(nn.Module):
    """Vector (B, inputs) to image (B, channels, resolution, resolution).

    `widths` are the hidden layers of the encoder that it mirrors, from the image inwards.
    """

    def __init__(
        self,
        inputs: int,
        resolution: int,
        channels: int,
        widths: Sequence[int],
        activation: str = "relu",
        output: str = "linear",
    ) -> None:
        super().__init__()
        sizes = [inputs, *reversed(widths)]
        last = nn.Sequential(
            nn.Linear(sizes[-1], channels * resolution**2),
            new_activation(output),
            nn.Unflatten(1, (channels, resolution, resolution)),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(a, b), new_activation(activation)) for a, b in pairwise(sizes)
        )
        self.blocks.append(last)

    def forward(self, codes: Tensor) -> Tensor:
        """(B, inputs) to (B, channels, resolution, resolution)."""
        for block in self.blocks:
            codes = block(codes)
        return codes
