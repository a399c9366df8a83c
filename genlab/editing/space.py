"""The latent space that images are edited and inverted in: styles of a StyleGAN, else latents.

Codes are (N, layers, n): a style for every layer, or latents as a single layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.errors import ConfigError
from genlab.learners.abilities import Generates
from genlab.pixels import to_uint8
from genlab.runs.loaded import LoadedRun
from genlab.runs.sampling import latents_of_seed


@dataclass(frozen=True)
class LatentSpace:
    """The space of one model's codes; `styled` says whether they are styles."""

    loaded: LoadedRun
    learner: Generates
    styled: bool

    @property
    def name(self) -> str:
        """The space as papers call it."""
        return "w" if self.styled else "z"

    @property
    def layers(self) -> int:
        """The number of layers that codes have."""
        return self.learner.styles.layers if self.styled and self.learner.styles else 1

    def draw(self, count: int, seed: int) -> Tensor:
        """Codes (count, layers, n) of latents from the prior."""
        generator = torch.Generator().manual_seed(seed)
        return self.codes(self.learner.latents(count, generator, {}))

    def of_seeds(self, seeds: Sequence[int]) -> Tensor:
        """The code of each seed, (N, layers, n)."""
        return torch.cat([self.codes(latents_of_seed(self.learner, seed, {})) for seed in seeds])

    def codes(self, latents: Tensor) -> Tensor:
        """Latents (N, width) to codes (N, layers, n) on the CPU."""
        if not self.styled or self.learner.styles is None:
            return latents[:, None]
        return self.loaded.in_batches(self.learner.styles.of, latents, len(latents))

    def free(self, codes: Tensor) -> Tensor:
        """The numbers (..., m) of codes (..., n) that may change: all but the labels of latents."""
        condition = self.learner.condition
        labels = condition.width if condition and not self.styled else 0
        return codes[..., : codes.shape[-1] - labels]

    def moves(self, directions: Tensor, codes: Tensor) -> Tensor:
        """Offsets (..., m) of free numbers, padded with zeros to those of codes (..., n)."""
        return F.pad(directions, (0, codes.shape[-1] - directions.shape[-1]))

    def generate(self, codes: Tensor) -> Tensor:
        """Images in [-1, 1] of codes (N, layers or 1, n) on the device; differentiable."""
        if self.styled and self.learner.styles is not None:
            return self.learner.styles.images(codes)
        return self.learner.generate(codes[:, 0])

    def images(self, codes: Tensor, batch_size: int) -> Tensor:
        """Images uint8 (N, C, H, W), on the CPU, of codes (N, layers or 1, n)."""
        return self.loaded.in_batches(lambda c: to_uint8(self.generate(c)), codes, batch_size)


def space_of(loaded: LoadedRun, styled: bool = True) -> LatentSpace:
    """The space that a model is edited in: its styles if it has them and `styled`, else latents.

    Raises ConfigError for a model that makes no images.
    """
    if loaded.points:
        raise ConfigError(
            f"run={loaded.folder.path}: this model makes points, not images: use genlab sample"
        )
    learner = loaded.require(Generates, "cannot make images of codes: choose another run")
    return LatentSpace(loaded, learner, styled and learner.styles is not None)
