"""Fully connected encoder and decoder."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from genlab.networks.layers import activation as new_activation


def stack(widths: Sequence[int], activation: str) -> list[nn.Module]:
    """Linear layers between consecutive `widths`, each followed by the activation."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), new_activation(activation)]
    return layers


class Encoder(nn.Module):
    """Image (B, channels, resolution, resolution) to vector (B, outputs).

    `widths` are the hidden layers, from the image inwards; the last of them is the output.
    """

    def __init__(
        self, resolution: int, channels: int, widths: Sequence[int], activation: str = "relu"
    ) -> None:
        super().__init__()
        if not widths:
            raise ValueError("widths=[] is empty: name at least one layer, for example [512]")
        pixels = channels * resolution**2
        self.layers = nn.Sequential(nn.Flatten(), *stack([pixels, *widths], activation))

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, resolution, resolution) to (B, outputs)."""
        return self.layers(images)


class Decoder(nn.Module):
    """Vector (B, inputs) to image (B, channels, resolution, resolution).

    `widths` are the hidden layers, from the code outwards.
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
        hidden = [inputs, *widths]
        self.layers = nn.Sequential(
            *stack(hidden, activation),
            nn.Linear(hidden[-1], channels * resolution**2),
            new_activation(output),
            nn.Unflatten(1, (channels, resolution, resolution)),
        )

    def forward(self, codes: Tensor) -> Tensor:
        """(B, inputs) to (B, channels, resolution, resolution)."""
        return self.layers(codes)
