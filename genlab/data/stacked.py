"""Three pictures of another set in the three colours of one: up to a thousand known modes."""

import numpy as np

from genlab.data.source import Advance, Annotations, Source
from genlab.errors import ConfigError

NAMES = ("red", "green", "blue")


class Stacked(Source):
    """Every picture holds three of the base set's, drawn at random, as red, green and blue.

    Stacked MNIST of Metz et al. 2017, section 3.3.1, https://arxiv.org/abs/1611.02163, for any
    grey set with labels.

    Args:
        base: the set that pictures are drawn from, grey and of the same resolution.
        count: number of stacked pictures.
        seed: of the draw.
        resolution, channels: see `Source`; the channels are 3.
    """

    def __init__(
        self, base: Source, count: int, seed: int, resolution: int, channels: int = 3
    ) -> None:
        super().__init__(resolution, channels)
        if channels != 3 or base.channels != 1:
            raise ConfigError("stacked pictures have data.channels=3, those of the base set 1")
        if seed < 0:
            raise ConfigError(f"data.drawing_seed={seed} must not be negative")
        if count < 1:
            raise ConfigError(f"data.count={count} must be at least 1")
        self.base = base
        self.number = count
        self.seed = seed

    def fingerprint(self) -> dict[str, object]:
        """The base set's and the draw's."""
        return super().fingerprint() | {
            "base": self.base.fingerprint(),
            "count": self.number,
            "seed": self.seed,
        }

    def count(self) -> int:
        """The number that was asked for."""
        return self.number

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (count, 3, H, W)."""
        pictures = np.empty((self.base.count(), 1, self.resolution, self.resolution), np.uint8)
        annotations = self.base.write(pictures, lambda _: None)
        if "label" not in annotations.labels:
            raise ConfigError("data.source.base: stacked pictures need a set with labels")
        chosen = np.random.default_rng(self.seed).integers(len(pictures), size=(self.number, 3))
        images[:] = pictures[chosen, 0]
        advance(self.number)
        classes, labels = annotations.classes["label"], annotations.labels["label"][chosen]
        return Annotations(
            about=f"three of {annotations.about} in each picture",
            labels={name: labels[:, i] for i, name in enumerate(NAMES)},
            classes={name: list(classes) for name in NAMES},
        )
