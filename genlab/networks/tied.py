"""Decoders that use the encoder's weights, transposed."""

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn

Layer = nn.Linear | nn.Conv2d


class Transposed(nn.Module):
    """The transpose of a linear or convolutional layer, with a bias of its own.

    The weight is the layer's own parameter; it stands in the layer's state, not in this one's.
    """

    def __init__(self, layer: Layer, mirrored: nn.Linear | nn.ConvTranspose2d) -> None:
        super().__init__()
        self._layer = (layer,)  # a tuple, so that the layer is not counted as a part of this one
        self.bias = mirrored.bias

    @property
    def weight(self) -> Tensor:
        """The other layer's weight."""
        return self._layer[0].weight

    def forward(self, values: Tensor) -> Tensor:
        """What the layer puts out to what it takes in."""
        layer = self._layer[0]
        if isinstance(layer, nn.Linear):
            return F.linear(values, layer.weight.T, self.bias)
        assert not isinstance(layer.padding, str)
        return F.conv_transpose2d(values, layer.weight, self.bias, layer.stride, layer.padding)


def tie(encoders: Iterable[nn.Module], decoder: nn.Module) -> None:
    """Replace every layer of `decoder` by the transpose of the encoder layer that it mirrors.

    Raises ValueError where the two do not mirror each other.
    """
    layers = [m for encoder in encoders for m in encoder.modules() if isinstance(m, Layer)]
    mirrors = [
        (parent, name, child)
        for parent in decoder.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear | nn.ConvTranspose2d)
    ]
    if len(layers) != len(mirrors):
        raise ValueError(
            f"tied=true: the encoder has {len(layers)} layers and the decoder {len(mirrors)}; "
            "they must mirror each other: set tied=false"
        )
    for layer, (parent, name, mirror) in zip(layers, reversed(mirrors), strict=True):
        weight = mirror.weight.T if isinstance(mirror, nn.Linear) else mirror.weight
        if layer.weight.shape != weight.shape:
            raise ValueError(
                f"tied=true: layers of {tuple(layer.weight.shape)} and {tuple(weight.shape)} do "
                "not mirror each other; use the same widths on both sides"
            )
        setattr(parent, name, Transposed(layer, mirror))
