"""Prepared images with their labels, and how they part into training, validation and test."""

from dataclasses import dataclass

import numpy as np

from genlab.errors import ConfigError, DataError
from genlab.words import one_of

SPLITS = ("train", "validation", "test")
DRAW_SEED = 0
"""Of the draw where only a part of a split is looked at: the same for all runs on a data set, so
that scores compare."""


@dataclass(frozen=True)
class ImageSet:
    """All images of one source at one size.

    Attributes:
        images: uint8 (N, C, H, W), an array or a memory map.
        labels: int64 (N,) by name; the main class label of a source is named "label".
        classes: class names by label name; a label is an index into them.
        about: one line on what the images are and their licence.
        test_start: images[test_start:] are the source's own test split; None without one.
        names: what the images are called; None where nobody asks, or they have no names.
        unused: images that no split has, bool (N,); None for none.
    """

    images: np.ndarray
    labels: dict[str, np.ndarray]
    classes: dict[str, list[str]]
    about: str
    test_start: int | None
    names: list[str] | None = None
    unused: np.ndarray | None = None

    def check(self) -> None:
        """Raise DataError where the parts do not belong together."""
        count = len(self.images)
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise DataError(f"images are {self.images.dtype} {self.images.shape}, not (N, C, H, W)")
        if self.test_start is not None and self.test_start > count:
            raise DataError(f"test images start at {self.test_start} of {count}")
        for name, classes in self.classes.items():
            labels = self.labels.get(name)
            if labels is None or labels.dtype.kind not in "iu" or labels.shape != (count,):
                raise DataError(f"{name} does not label {count} images with whole numbers")
            if count and not 0 <= labels.min() <= labels.max() < len(classes):
                raise DataError(f"{name} has labels without a class")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def resolution(self) -> int:
        """Height and width in pixels."""
        return int(self.images.shape[2])

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return int(self.images.shape[1])

    def split(self, name: str, validation: float, test: float, seed: int = 0) -> np.ndarray:
        """Positions of the images in one part, sorted int64 (n,).

        The three parts are disjoint, cover the set and depend on the arguments alone.

        Args:
            name: train, validation or test.
            validation: share (below 1) or number of images held out of the non-test images.
            test: share or number of test images; a source's own test split takes its place.
            seed: of the draw.

        Raises:
            ConfigError: an unknown name, or a size that the set cannot give.
            DataError: too few images to leave one for training.
        """
        one_of("split", name, SPLITS)
        generator = np.random.Generator(np.random.PCG64(seed))
        order = generator.permutation(len(self) if self.test_start is None else self.test_start)
        if self.unused is not None:
            order = order[~self.unused[order]]
        if self.test_start is None:
            held = _part_size("data.test", test, len(order))
            test_part, rest = order[:held], order[held:]
        else:
            test_part, rest = np.arange(self.test_start, len(self)), order
            if self.unused is not None:
                test_part = test_part[~self.unused[test_part]]
        held = _part_size("data.validation", validation, len(rest))
        parts = {"train": rest[held:], "validation": rest[:held], "test": test_part}
        if not len(parts["train"]):
            count = len(order) if self.test_start is None else len(order) + len(test_part)
            raise DataError(
                f"{count} image{'s are' if count != 1 else ' is'} too few to train on with "
                f"data.validation={validation} and data.test={test}: add images or lower these two"
            )
        return np.sort(parts[name]).astype(np.int64)

    def balanced(self, indices: np.ndarray, per_class: int, seed: int) -> np.ndarray:
        """Of positions (n,), `per_class` of each class of the main label, sorted.

        The main label is the one named "label", else the first one.

        Raises:
            ConfigError: there are no labels, or too few images of a class.
        """
        if not self.labels:
            raise ConfigError(
                f"data.labels_per_class={per_class}: the data set has no labels; set it to null"
            )
        name = "label" if "label" in self.labels else next(iter(self.labels))
        labels = self.labels[name][indices]
        counts = np.bincount(labels, minlength=len(self.classes[name]))
        fewest = int(counts[counts > 0].min())
        if not 1 <= per_class <= fewest:
            raise ConfigError(
                f"data.labels_per_class={per_class} must be from 1 to {fewest}, the training "
                f"images of the rarest class of {name}"
            )
        generator = np.random.Generator(np.random.PCG64(seed))
        shuffled = generator.permutation(len(indices))
        order = shuffled[np.argsort(labels[shuffled], kind="stable")]
        starts = np.cumsum(counts) - counts
        chosen = [order[start : start + per_class] for start in starts[counts > 0]]
        return np.sort(indices[np.concatenate(chosen)])


def drawn(indices: np.ndarray, count: int | None, seed: int = DRAW_SEED) -> np.ndarray:
    """`count` of the positions (n,), drawn at random by the seed, in their order.

    All of them for None or where there are no more. Sets may be sorted by their classes: the first
    ones stand for nothing. The draw has random numbers of its own, not those that made the splits.
    """
    if count is None or count >= len(indices):
        return indices
    generator = np.random.default_rng((seed, 1))
    return indices[np.sort(generator.permutation(len(indices))[:count])]


def _part_size(key: str, size: float, available: int) -> int:
    """Images in a part of a share or number `size`, at least one for any share above 0."""
    if 0 < size < 1:
        return max(1, round(size * available))
    if size < 0 or size != int(size):
        raise ConfigError(f"{key}={size} must be a share from 0 to below 1 or a number of images")
    if size and size >= available > 1:
        raise ConfigError(
            f"{key}={size} leaves no training images of {available}: set a smaller number or a "
            "share below 1"
        )
    return int(size)
