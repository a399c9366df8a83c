"""From a source to the parts that are trained on and held out."""

from collections.abc import Iterator, Mapping
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


class ImageData:
    """Training stream and held-out batches of one source.

    Args:
        source: where the images come from.
        validation, test: held-out parts, a share below 1 or a number of images; `test` counts only
            for sources without a test split of their own.
        flip: mirror half of the training images.
        batch_size: images per batch and rank.
        in_memory_gb: larger sets are memory-mapped.
        seed: of the order and of the choice below; the splits do not depend on it.
        labels_per_class: train on so many images of each class of the main label only.
        balanced: a label of whose classes every batch holds as many images each; null for none.
        crop: shift training images by up to so many pixels in each direction.
        extra: an array file of further training images, see `extended`.
        leave_out: classes that only the test part has, see `named_classes`; None for none.
    """

    def __init__(
        self,
        source: Source,
        *,
        validation: float,
        test: float,
        flip: bool,
        batch_size: int,
        in_memory_gb: float,
        seed: int,
        labels_per_class: int | None = None,
        balanced: str | None = None,
        leave_out: Any = None,
        crop: int = 0,
        extra: str | None = None,
    ) -> None:
        try:
            bounds.whole(1, batch_size=batch_size, labels_per_class=labels_per_class)
            bounds.whole(0, source.resolution - 1, crop=crop)
            bounds.at_least(0, in_memory_gb=in_memory_gb, validation=validation, test=test)
        except ValueError as error:
            raise ConfigError(f"data.{error}") from error
        self.source = source
        self.validation = validation
        self.test = test
        self.flip = flip
        self.batch_size = batch_size
        self.in_memory_gb = in_memory_gb
        self.seed = seed
        self.labels_per_class = labels_per_class
        self.balanced = balanced
        self.crop = crop
        self.extra = extra
        self.leave_out = leave_out
        self._image_set: ImageSet | None = None

    @property
    def image_set(self) -> ImageSet:
        """All images of the source, prepared on first use."""
        if self._image_set is None:
            self._image_set = prepare(self.source, self.in_memory_gb)
        return self._image_set

    def indices(self, split: str) -> np.ndarray:
        """Positions of the split's images, sorted; `split` is train, validation or test."""
        indices = self.image_set.split(split, self.validation, self.test)
        if split != "test" and self.leave_out is not None:
            indices = indices[~self.left_out(indices)]
            if split == "train" and not len(indices):
                raise ConfigError(f"data.leave_out={self.leave_out} leaves no training images")
        if split != "train" or self.labels_per_class is None:
            return indices
        return self.image_set.balanced(indices, self.labels_per_class, self.seed)

    def left_out(self, indices: np.ndarray) -> np.ndarray:
        """Whether images at the positions (n,) are of a class that is left out, bool (n,)."""
        if self.leave_out is None:
            return np.zeros(len(indices), bool)
        found = named_classes(self.image_set.classes, self.leave_out, "data.leave_out")
        labels = self.image_set.labels
        out: np.ndarray = np.any(
            [np.isin(labels[label][indices], found[label]) for label in found], 0
        )
        return out

    def refuse_unfilled(self, processes: int) -> None:
        """Raise DataError where the training part cannot fill one batch for every process."""
        available = len(self.indices("train"))
        if self.batch_size * processes > available:
            raise DataError(
                f"data.batch_size={self.batch_size} on {processes} process(es) asks for more than "
                f"the {available} training images: set "
                f"data.batch_size={max(available // processes, 1)} or less"
            )

    def training(self) -> tuple[ImageSet, list[np.ndarray]]:
        """All that is trained on, and the positions, by the classes that batches balance."""
        image_set, indices = self.image_set, self.indices("train")
        if self.extra is not None:
            image_set = extended(image_set, indices, self.extra)
            indices = np.arange(len(image_set))
        return image_set, self._groups(image_set.labels, indices)

    def _groups(self, labels: Mapping[str, np.ndarray], indices: np.ndarray) -> list[np.ndarray]:
        if self.balanced is None:
            return [indices]
        if self.balanced not in labels:
            raise ConfigError(
                f"data.balanced={self.balanced}: the data set has no such label"
                f"{near_miss(self.balanced, labels)}"
            )
        told = labels[self.balanced][indices]
        groups = [indices[told == kind] for kind in np.unique(told)]
        if self.batch_size % len(groups):
            raise ConfigError(
                f"data.batch_size={self.batch_size} must be a multiple of {len(groups)}, the "
                f"classes of data.balanced={self.balanced}"
            )
        return groups

    def held_out(
        self, split: str, batch_size: int, count: int | None = None, rank: int = 0, world: int = 1
    ) -> Iterator[Batch]:
        """`count` images of the split (all by default), see `drawn`, every world-th to a rank."""
        indices = drawn(self.indices(split), count)[rank::world]
        for start in range(0, len(indices), batch_size):
            yield take(self.image_set, indices[start : start + batch_size])
