"""Where pictures are edited and looked for: the styles of a model that has them, else its latents.

Codes are (N, layers, n): styles for every layer, or a single layer of latents.
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
class Space:
    """Codes of one model: `styled` says whether they are styles."""

    loaded: LoadedRun
    learner: Generates
    styled: bool

    @property
    def name(self) -> str:
        """The space as papers call it."""
        return "w" if self.styled else "z"

    @property
    def layers(self) -> int:
        """How many layers codes may differ in."""
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
        """The numbers (..., m) of codes (..., n) that may change: not the labels of latents."""
        condition = self.learner.condition
        told = condition.width if condition and not self.styled else 0
        return codes[..., : codes.shape[-1] - told]

    def moves(self, directions: Tensor, codes: Tensor) -> Tensor:
        """Directions (..., m) of free numbers as differences (..., n) of such codes."""
        return F.pad(directions, (0, codes.shape[-1] - directions.shape[-1]))

    def generate(self, codes: Tensor) -> Tensor:
        """Codes (N, layers or 1, n) on the device to pictures in [-1, 1]; gradients pass."""
        if self.styled and self.learner.styles is not None:
            return self.learner.styles.pictures(codes)
        return self.learner.generate(codes[:, 0])

    def pictures(self, codes: Tensor, batch_size: int) -> Tensor:
        """Codes (N, layers or 1, n) to pictures uint8 (N, C, H, W) on the CPU."""
        return self.loaded.in_batches(lambda c: to_uint8(self.generate(c)), codes, batch_size)


def space_of(loaded: LoadedRun, styled: bool = True) -> Space:
    """The space that the model is edited in; its latents where styles are not wanted.

    Raises ConfigError for a model that makes no pictures.
    """
    if loaded.points:
        raise ConfigError(
            f"run={loaded.folder.path}: this model makes points, not pictures: use genlab sample"
        )
    learner = loaded.require(Generates, "cannot make pictures of codes: choose another run")
    return Space(loaded, learner, styled and learner.styles is not None)
