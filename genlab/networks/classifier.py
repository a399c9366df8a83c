"""A classifier: an encoder and one linear head per named label."""

from collections.abc import Mapping

from torch import Tensor, nn


class Classifier(nn.Module):
    """Image (B, C, H, W) to {label name: logits (B, classes)}.

    `features` is the width of the encoder's output, `classes` the number of classes of each named
    label.
    """

    def __init__(self, encoder: nn.Module, features: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.encoder = encoder
        self.activation = nn.ReLU()
        self.heads = nn.ModuleDict(
            {name: nn.Linear(features, count) for name, count in classes.items()}
        )

    def features(self, images: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] to the layer below the heads, (B, features)."""
        return self.activation(self.encoder(images))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, C, H, W) in [-1, 1] to logits by label name."""
        features = self.features(images)
        return {name: head(features) for name, head in self.heads.items()}
