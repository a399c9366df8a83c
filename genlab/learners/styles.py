"""The styles of a trained generator: between its latents and its images."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlab.networks import StyleDecoder
from genlab.networks.growing import enlarged


@dataclass(frozen=True)
class Styles:
    """What a generator with a mapping network can be asked for (see `StyleDecoder`).

    Styles are (B, layers, width): two for each resolution, from 4 pixels on, the coarsest first.
    """

    decoder: StyleDecoder
    stage: dict[str, Any]

    @property
    def layers(self) -> int:
        """Styles that images depend on now."""
        return self.decoder.synthesis.layers_at(self.stage.get("resolution"))

    @property
    def mean(self) -> Tensor:
        """The mean style over latents, (width,)."""
        return self.decoder.mean_style

    @torch.no_grad()
    def of(self, latents: Tensor) -> Tensor:
        """Latents (B, latent_size + condition) to styles (B, layers, width)."""
        return self.decoder.styles(latents)[:, : self.layers]

    def images(self, styles: Tensor, noise: str = "fixed") -> Tensor:
        """Styles to images (B, C, H, W); `noise` is fixed, random or none.

        Gradients pass, for those who look for styles.
        """
        missing = self.decoder.synthesis.layers - styles.shape[1]
        if missing:  # of layers that are not in use yet
            styles = torch.cat([styles, styles[:, -1:].expand(-1, missing, -1)], 1)
        images = self.decoder.synthesis(styles, noise, **self.stage).float()
        return enlarged(images, self.decoder.shape[-1] // images.shape[-1])
