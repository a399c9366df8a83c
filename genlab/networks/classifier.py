"""A classifier: an encoder and one linear head per named label."""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class Classifier(nn.Module):
    """Image (B, C, H, W) to {label name: logits (B, classes)}.

    `encoder` has the `shape` of what it puts out; `classes` are the class names of each named label
    ("auto" on a page).
    """

    def __init__(self, encoder: nn.Module, classes: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.encoder = encoder
        features = math.prod(encoder.shape)
        self.activation = nn.ReLU()
        self.heads = nn.ModuleDict(
            {name: nn.Linear(features, len(kinds)) for name, kinds in classes.items()}
        )

    def features(self, images: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] to the layer below the heads, (B, features)."""
        return self.activation(self.encoder(images).flatten(1))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, C, H, W) in [-1, 1] to logits by label name."""
        features = self.features(images)
        return {name: head(features) for name, head in self.heads.items()}
