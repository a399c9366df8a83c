"""A generator is a decoder of latents, and of labels behind them where it is conditional."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.networks.chain import Chain
from genlab.networks.condition import Condition
from genlab.networks.conditional_normalisation import ConditionalBatchNorm, conditioned
from genlab.networks.styles import StyleDecoder


class Generator(nn.Module):
    """Latents (B, latent_size + condition) to images (B, C, H, W) in [-1, 1].

    Args:
        decoder: makes the decoder from `inputs`, the width of latents and condition.
        latent_size: numbers in a latent.
        condition: labels that follow the latent as one-hot vectors (Mirza & Osindero 2014,
            https://arxiv.org/abs/1411.1784); None for none.
        conditional_normalisation: tell the labels to the decoder's batch normalisations (see
            `ConditionalBatchNorm`) and not to its first layer.

    Raises:
        ValueError: a conditional normalisation without a condition or batch normalisation.
    """

    def __init__(
        self,
        decoder: Callable[..., Chain],
        latent_size: int,
        condition: Condition | None = None,
        conditional_normalisation: bool = False,
    ) -> None:
        super().__init__()
        bounds.widths(latent_size=latent_size)
        self.latent_size = latent_size
        self.condition = condition
        width = condition.width if condition else 0
        self.decoder = decoder(inputs=latent_size + (0 if conditional_normalisation else width))
        self.conditional_normalisation = conditional_normalisation
        if conditional_normalisation:
            labels = len(condition.classes) if condition else 0
            if not labels or not conditioned(self.decoder, width, labels):
                raise ValueError(
                    "conditional_normalisation=true needs a condition and a decoder with batch "
                    "normalisation: choose players=convolutional or residual, or set it to false"
                )

    @property
    def styled(self) -> StyleDecoder | None:
        """The decoder, where styles steer it."""
        return self.decoder if isinstance(self.decoder, StyleDecoder) else None

    def latents(self, noise: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """Noise (B, latent_size) and labels (B,) by name to what `forward` takes."""
        return torch.cat([noise, self.condition(labels)], 1) if self.condition else noise

    def forward(self, latents: Tensor, **stage: Any) -> Tensor:
        """(B, latent_size + condition) to (B, C, H, W), of what a stage tells the decoder."""
        if not self.conditional_normalisation:
            result: Tensor = self.decoder(latents, **stage)
            return result
        noise, condition = latents.tensor_split([self.latent_size], 1)
        layers = [m for m in self.decoder.modules() if isinstance(m, ConditionalBatchNorm)]
        for layer in layers:
            layer.condition = condition
        images: Tensor = self.decoder(noise, **stage)
        for layer in layers:
            layer.condition = None
        return images
