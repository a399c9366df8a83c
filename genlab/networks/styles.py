"""What StyleGAN and StyleGAN2 share: latents become styles, styles become images."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab import bounds
from genlab.networks.chain import Chain
from genlab.networks.equalised import Linear, PixelNorm
from genlab.networks.noise import Noise, keys_of


class Synthesis(Chain):
    """Styles (B, layers, width) to an image; `layers` counts those of the whole network.

    Args:
        blocks: one for each resolution, from the first map on (see `doublings`).
        shape: of the image.
        layers: styles that it takes.
    """

    def __init__(self, blocks: Sequence[nn.Module], shape: Sequence[int], layers: int) -> None:
        super().__init__(blocks, shape)
        self.layers = layers

    def layers_at(self, resolution: int | None = None) -> int:
        """Styles that a stage's image depends on: two for each resolution.

        The smaller side of the first map has 4 to 7 pixels, three binary digits.
        """
        return self.layers if resolution is None else 2 * (resolution.bit_length() - 2)


class StyleDecoder(Chain):
    """Latents (B, inputs) to images: a mapping to styles, and a synthesis network that they steer.

    Karras et al. 2019, "A Style-Based Generator Architecture for GANs",
    https://arxiv.org/abs/1812.04948. In training mode two latents are mixed at times (section 3.1),
    a running mean of the styles is kept (appendix B), and noise is random; in evaluation mode it is
    always the same, so that an image depends on its latent alone. Within `own_noise` each image
    has noise of its own, which its latent decides.

    Args:
        inputs: width of latents and the condition behind them.
        latent_size: numbers of the latent among them.
        synthesis: makes the synthesis network from `style`, the width of a style.
        mapping_layers, style: dense layers of the mapping, and their width.
        mapping_rate: their learning rate, as a share of the optimizer's.
        mixing: share of batches whose finer layers take the styles of other latents.
        mean_decay: of the mean style, per batch.
    """

    def __init__(
        self,
        inputs: int,
        latent_size: int,
        synthesis: Callable[..., Synthesis],
        mapping_layers: int = 8,
        style: int = 512,
        mapping_rate: float = 0.01,
        mixing: float = 0.9,
        mean_decay: float = 0.995,
    ) -> None:
        bounds.within(0, 1, mixing=mixing, mean_decay=mean_decay)
        bounds.above(0, mapping_rate=mapping_rate)
        bounds.widths(style=style)
        bounds.depths(mapping_layers=mapping_layers)
        made = synthesis(style=style)
        mapping = Mapping(inputs, latent_size, mapping_layers, style, mapping_rate)
        super().__init__([mapping, made], made.shape)
        self.latent_size = latent_size
        self.mixing = mixing
        self.mean_decay = mean_decay
        self.mean_style = nn.Buffer(torch.zeros(style))
        self.noise = "fixed"  # of evaluation mode
        self.grows = made.grows

    @property
    def mapping(self) -> "Mapping":
        """Latents to styles."""
        return cast(Mapping, self.blocks[0])

    @property
    def synthesis(self) -> Synthesis:
        """Styles to images."""
        return cast(Synthesis, self.blocks[1])

    # A chain's forward takes no stage; this one's stage is how far it has grown.
    def forward(self, latents: Tensor, **stage: Any) -> Tensor:  # type: ignore[override]
        """(B, inputs) to the image of a stage, (B, channels, h, w)."""
        noise = "random" if self.training else self.noise
        layers = [module for module in self.modules() if isinstance(module, Noise)]
        for layer in layers:
            layer.keys = keys_of(latents) if noise == "own" else None
        result: Tensor = self.synthesis(self.styles(latents, **stage), noise, **stage)
        return result

    def styles(self, latents: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
        """(B, inputs) to a style for every layer, (B, layers, style); mixed in training mode."""
        style = self.mapping(latents)
        styles: Tensor = style[:, None].expand(-1, self.synthesis.layers, -1)
        if not self.training:
            return styles
        with torch.no_grad():
            mean = style.detach().float().mean(0)
            self.mean_style.lerp_(mean, 1 - self.mean_decay)
        if torch.rand(()) >= self.mixing:
            return styles
        noise, condition = latents.tensor_split([self.latent_size], 1)
        others = self.mapping(torch.cat([torch.randn_like(noise), condition], 1))
        layers = self.synthesis.layers_at(resolution)
        crossover = int(torch.randint(1, max(layers, 2), ()))
        finer = torch.arange(self.synthesis.layers, device=styles.device) >= crossover
        return torch.where(finer[None, :, None], others[:, None], styles)


class Mapping(nn.Module):
    """Latents (B, inputs) to styles (B, style) by dense layers (section 2).

    The latent is normalised; what follows it, one-hot labels, is embedded in as many numbers and
    normalised too.
    """

    def __init__(self, inputs: int, latent_size: int, layers: int, style: int, rate: float) -> None:
        super().__init__()
        condition = inputs - latent_size
        self.latent_size = latent_size
        self.normalise = PixelNorm()
        self.embedding = Linear(condition, latent_size, gain=1.0) if condition else None
        widths = [latent_size * (2 if condition else 1), *[style] * layers]
        self.layers = nn.ModuleList(Linear(a, b, rate=rate) for a, b in pairwise(widths))

    def forward(self, latents: Tensor) -> Tensor:
        """(B, inputs) to (B, style)."""
        noise, condition = latents.tensor_split([self.latent_size], 1)
        values: Tensor = self.normalise(noise)
        if self.embedding is not None:
            values = torch.cat([values, self.normalise(self.embedding(condition))], 1)
        for layer in self.layers:
            values = F.leaky_relu(layer(values), 0.2)
        return values


@contextmanager
def own_noise(network: nn.Module) -> Iterator[None]:
    """Within, images made in evaluation mode have noise of their own, as published for scores.

    An image still depends on its latent alone, whatever it is made together with.
    """
    decoders = [module for module in network.modules() if isinstance(module, StyleDecoder)]
    for decoder in decoders:
        decoder.noise = "own"
    try:
        yield
    finally:
        for decoder in decoders:
            decoder.noise = "fixed"


def truncated(styles: Tensor, mean: Tensor, truncation: float, layers: int | None = None) -> Tensor:
    """Styles (B, layers, n) drawn towards the mean style (n,), those of the first `layers` only.

    The truncation trick of Karras et al. 2019, appendix B: mean + truncation * (style - mean).
    """
    drawn = torch.lerp(mean.expand_as(styles), styles, truncation)
    if layers is None:
        return drawn
    return torch.cat([drawn[:, :layers], styles[:, layers:]], 1)
