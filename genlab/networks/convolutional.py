"""Strided-convolution encoder and decoder, the shape of DCGAN's critic and generator.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", https://arxiv.org/abs/1511.06434. Its guidelines: strides instead
of pooling, batch normalisation except on the generator's output and the critic's input, no hidden
dense layers, ReLU in the generator, leaky ReLU in the critic.
"""

from torch import Tensor, nn

from genlab.networks.layers import activation as new_activation
from genlab.networks.layers import halvings, initialise_weights
from genlab.networks.layers import normalisation as new_normalisation


def widths(levels: int, width: int, max_width: int) -> list[int]:
    """Channels after each of `levels` halvings: `width`, doubled at each, at most `max_width`."""
    return [min(width * 2**level, max_width) for level in range(levels)]


class Encoder(nn.Module):
    """Image (B, channels, resolution, resolution) to vector (B, outputs).

    4x4 convolutions of stride 2 down to a map of 4 to 7 pixels, then one linear layer.
    `weight_deviation` draws the first weights from N(0, deviation^2) instead of torch's default.
    """

    def __init__(
        self,
        resolution: int,
        channels: int,
        outputs: int,
        width: int = 64,
        max_width: int = 512,
        activation: str = "leaky_relu",
        normalisation: str = "batch",
        weight_deviation: float | None = None,
    ) -> None:
        super().__init__()
        levels = halvings(resolution)
        layers: list[nn.Module] = []
        inputs = channels
        for level, maps in enumerate(widths(levels, width, max_width)):
            plain = level == 0 or normalisation == "none"
            layers.append(nn.Conv2d(inputs, maps, 4, stride=2, padding=1, bias=plain))
            if not plain:
                layers.append(new_normalisation(normalisation, maps))
            layers.append(new_activation(activation))
            inputs = maps
        side = resolution // 2**levels
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side**2, outputs))
        if weight_deviation is not None:
            initialise_weights(self, weight_deviation)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, resolution, resolution) to (B, outputs)."""
        return self.layers(images)


class Decoder(nn.Module):
    """Vector (B, inputs) to image (B, channels, resolution, resolution), the encoder's mirror.

    One linear layer to a map of 4 to 7 pixels, then transposed 4x4 convolutions of stride 2.
    `output` is the activation of the last layer ("tanh" for pictures in [-1, 1]).
    """

    def __init__(
        self,
        inputs: int,
        resolution: int,
        channels: int,
        width: int = 64,
        max_width: int = 512,
        activation: str = "relu",
        normalisation: str = "batch",
        output: str = "tanh",
        weight_deviation: float | None = None,
    ) -> None:
        super().__init__()
        levels = halvings(resolution)
        side = resolution // 2**levels
        maps = widths(levels, width, max_width)[::-1]
        plain = normalisation == "none"
        layers: list[nn.Module] = [
            nn.Linear(inputs, maps[0] * side**2, bias=plain),
            nn.Unflatten(1, (maps[0], side, side)),
        ]
        for current, following in zip(maps, [*maps[1:], None], strict=True):
            layers += [new_normalisation(normalisation, current), new_activation(activation)]
            last = following is None
            layers.append(
                nn.ConvTranspose2d(
                    current, following or channels, 4, stride=2, padding=1, bias=plain or last
                )
            )
        self.layers = nn.Sequential(*layers, new_activation(output))
        if weight_deviation is not None:
            initialise_weights(self, weight_deviation)

    def forward(self, codes: Tensor) -> Tensor:
        """(B, inputs) to (B, channels, resolution, resolution)."""
        return self.layers(codes)
