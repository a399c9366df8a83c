"""A classifier: an encoder and one linear head per named label."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from genlab.networks.bottlenecks import Bottleneck
from genlab.networks.chain import Chain
from genlab.networks.layers import activation as new_activation


class Classifier(nn.Module):
    """Image (B, C, H, W) to {label name: logits (B, classes)}.

    Args:
        encoder: images to features.
        classes: class names of each named label ("auto" on a page).
        activation: between encoder and heads.
    """

    def __init__(
        self,
        encoder: Chain,
        classes: Mapping[str, Sequence[str]],
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.activation = new_activation(activation)
        width = math.prod(encoder.shape)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, len(kinds)) for name, kinds in classes.items()}
        )

    def features(self, images: Tensor, trainable: int | None = None) -> Tensor:
        """(B, C, H, W) in [-1, 1] to the layer below the heads, (B, features).

        With `trainable` only so many of the encoder's last blocks learn; the others stay as they
        are, batch statistics included.
        """
        blocks = list(self.encoder.blocks)
        frozen = 0 if trainable is None else max(0, len(blocks) - trainable)
        values = images
        with torch.no_grad():
            for block in blocks[:frozen]:
                values = block.eval()(values)
        for block in blocks[frozen:]:
            values = block.train(self.training)(values)
        result: Tensor = self.activation(values.flatten(1))
        return result

    def forward(self, images: Tensor, trainable: int | None = None) -> dict[str, Tensor]:
        """(B, C, H, W) in [-1, 1] to logits by label name."""
        features = self.features(images, trainable)
        return {name: head(features) for name, head in self.heads.items()}


class CodeEncoder(Chain):
    """An autoencoder's encoder and bottleneck, without its decoder: images to codes."""

    def __init__(self, encoder: Chain, bottleneck: Callable[..., Bottleneck]) -> None:
        codes = _Codes(bottleneck(features=encoder.shape))
        outputs = codes.bottleneck.outputs
        shape = (outputs,) if isinstance(outputs, int) else outputs
        super().__init__([*encoder.blocks, codes], shape)


class _Codes(nn.Module):
    """A bottleneck that passes the mean of its codes on, without noise."""

    def __init__(self, bottleneck: Bottleneck) -> None:
        super().__init__()
        self.bottleneck = bottleneck

    def train(self, mode: bool = True) -> "_Codes":
        return super().train(False)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.bottleneck(features).values
        return result
