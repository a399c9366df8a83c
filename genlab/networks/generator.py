"""A generator is a decoder of latents, and of labels behind them where it is conditional."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from genlab.networks.chain import Chain
from genlab.networks.condition import Condition


class Generator(nn.Module):
    """Latents (B, latent_size + condition) to images (B, C, H, W) in [-1, 1].

    Args:
        decoder: makes the decoder from `inputs`, the width of latents and condition.
        latent_size: numbers in a latent.
        condition: labels that follow the latent as one-hot vectors (Mirza & Osindero 2014,
            https://arxiv.org/abs/1411.1784); None for none.
    """

    def __init__(
        self,
        decoder: Callable[..., Chain],
        latent_size: int,
        condition: Condition | None = None,
    ) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size={latent_size} must be at least 1")
        self.latent_size = latent_size
        self.condition = condition
        self.decoder = decoder(inputs=latent_size + (condition.width if condition else 0))

    def latents(self, noise: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """Noise (B, latent_size) and labels (B,) by name to what `forward` takes."""
        return torch.cat([noise, self.condition(labels)], 1) if self.condition else noise

    def forward(self, latents: Tensor) -> Tensor:
        """(B, latent_size + condition) to (B, C, H, W)."""
        return self.decoder(latents)
