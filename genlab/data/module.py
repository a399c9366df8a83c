"""From a source to the parts that are trained on and held out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genlab import bounds
from genlab.data.cache import prepare
from genlab.data.classes import named_classes
from genlab.data.extra import extended
from genlab.data.image_set import ImageSet, drawn
from genlab.data.source import Source
from genlab.data.stream import Batch, take
from genlab.errors import ConfigError, DataError
from genlab.words import near_miss


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which images are trained on and which are held out.

    Attributes:
        validation, test: held-out parts, a share below 1 or a number of images; `test` counts only
            for sources without a test split of their own.
        labels_per_class: train on so many images of each class of the main label only.
        leave_out: classes that only the test part has, see `named_classes`; None for none.
    """

    validation: float
    test: float
    labels_per_class: int | None = None
    leave_out: Any = None


@dataclass(frozen=True, kw_only=True)
class Batches:
    """How batches are made of the training images.

    Attributes:
        batch_size: images per batch and rank.
        flip: mirror half of the training images.
        crop: shift training images by up to so many pixels in each direction.
        balanced: a label of whose classes every batch holds as many images each; None for none.
        extra: an array file of further training images, see `extended`.
    """

    batch_size: int
    flip: bool = False
    crop: int = 0
    balanced: str | None = None
    extra: str | None = None


class ImageData:
    """Training stream and held-out batches of one source.

    Args:
        source: where the images come from.
        parts: which of them are held out.
        batches: how the others are trained on.
        in_memory_gb: larger sets are memory-mapped.
        seed: of the order and of the choice of labels_per_class; the splits do not depend on it.
    """

    def __init__(
        self, source: Source, parts: Parts, batches: Batches, *, in_memory_gb: float, seed: int
    ) -> None:
        held_out = {"validation": parts.validation, "test": parts.test}
        try:
            bounds.whole(1, batch_size=batches.batch_size, labels_per_class=parts.labels_per_class)
            bounds.whole(0, source.resolution - 1, crop=batches.crop)
            bounds.at_least(0, in_memory_gb=in_memory_gb, **held_out)
        except ValueError as error:
            raise ConfigError(f"data.{error}") from error
        self.source = source
        self.parts = parts
        self.batches = batches
        self.in_memory_gb = in_memory_gb
        self.seed = seed
        self._image_set: ImageSet | None = None

    @property
    def image_set(self) -> ImageSet:
        """All images of the source, prepared on first use."""
        if self._image_set is None:
            self._image_set = prepare(self.source, self.in_memory_gb)
        return self._image_set

    def indices(self, split: str) -> np.ndarray:
        """Positions of the split's images, sorted; `split` is train, validation or test."""
        indices = self.image_set.split(split, self.parts.validation, self.parts.test)
        if split != "test" and self.parts.leave_out is not None:
            indices = indices[~self.left_out(indices)]
            if split == "train" and not len(indices):
                raise ConfigError(
                    f"data.leave_out={self.parts.leave_out} leaves no training images"
                )
        if split != "train" or self.parts.labels_per_class is None:
            return indices
        return self.image_set.balanced(indices, self.parts.labels_per_class, self.seed)

    def left_out(self, indices: np.ndarray) -> np.ndarray:
        """Whether images at the positions (n,) are of a class that is left out, bool (n,)."""
        if self.parts.leave_out is None:
            return np.zeros(len(indices), bool)
        found = named_classes(self.image_set.classes, self.parts.leave_out, "data.leave_out")
        labels = self.image_set.labels
        out: np.ndarray = np.any(
            [np.isin(labels[label][indices], found[label]) for label in found], 0
        )
        return out

    def refuse_unfilled(self, processes: int) -> None:
        """Raise DataError where the training part cannot fill one batch for every process."""
        available = len(self.indices("train"))
        if self.batches.batch_size * processes > available:
            raise DataError(
                f"data.batch_size={self.batches.batch_size} on {processes} process(es) asks for "
                f"more than the {available} training images: set "
                f"data.batch_size={max(available // processes, 1)} or less"
            )

    def training(self) -> tuple[ImageSet, list[np.ndarray]]:
        """All that is trained on, and the positions, by the classes that batches balance."""
        image_set, indices = self.image_set, self.indices("train")
        if self.batches.extra is not None:
            image_set = extended(image_set, indices, self.batches.extra)
            indices = np.arange(len(image_set))
        return image_set, self._groups(image_set.labels, indices)

    def _groups(self, labels: Mapping[str, np.ndarray], indices: np.ndarray) -> list[np.ndarray]:
        label, batch_size = self.batches.balanced, self.batches.batch_size
        if label is None:
            return [indices]
        if label not in labels:
            raise ConfigError(
                f"data.balanced={label}: the data set has no such label{near_miss(label, labels)}"
            )
        told = labels[label][indices]
        groups = [indices[told == kind] for kind in np.unique(told)]
        if batch_size % len(groups):
            raise ConfigError(
                f"data.batch_size={batch_size} must be a multiple of {len(groups)}, the "
                f"classes of data.balanced={label}"
            )
        return groups

    def held_out(
        self, split: str, batch_size: int, count: int | None = None, rank: int = 0, world: int = 1
    ) -> Iterator[Batch]:
        """`count` images of the split (all by default), see `drawn`, every world-th to a rank."""
        indices = drawn(self.indices(split), count)[rank::world]
        for start in range(0, len(indices), batch_size):
            yield take(self.image_set, indices[start : start + batch_size])
