"""What every source of images offers to the cache."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from genlab.data.image_set import ImageSet
from genlab.errors import ConfigError

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Annotations:
    """What a source knows about its images besides the pixels; see `ImageSet`."""

    about: str
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    test_start: int | None = None
    names: list[str] | None = None


class Source(ABC):
    """Images of one kind, to be prepared at one size.

    Construction only checks the settings; files are first looked for by `fingerprint`.

    Args:
        resolution: height and width in pixels.
        channels: 1 (grey) or 3 (RGB).
    """

    version: ClassVar[int] = 1
    """To be raised with every change of the code that changes pixels or labels."""

    def __init__(self, resolution: int, channels: int) -> None:
        if not isinstance(resolution, int) or resolution < 1:
            raise ConfigError(f"data.resolution={resolution} must be a whole number of pixels")
        if channels not in (1, 3):
            raise ConfigError(f"data.channels={channels} must be 1 (grey) or 3 (RGB)")
        self.resolution = resolution
        self.channels = channels

    def fingerprint(self) -> dict[str, object]:
        """All that pixels and labels depend on, as plain JSON; never decodes an image."""
        return {
            "source": type(self).__name__,
            "version": self.version,
            "resolution": self.resolution,
            "channels": self.channels,
        }

    def stored(self) -> dict[str, object]:
        """What the prepared images depend on: less than `fingerprint`, where labels are added."""
        return self.fingerprint()

    @property
    def uses_names(self) -> bool:
        """Whether `labelled` needs the names of images."""
        return False

    def labelled(self, image_set: ImageSet) -> ImageSet:
        """A prepared set with labels that are added whenever it is opened; by default none are.

        Raises:
            DataError, ConfigError: they cannot be read, or are not there.
        """
        return image_set

    @abstractmethod
    def count(self) -> int:
        """Number of images that `write` fills in.

        Raises:
            DataError: the images cannot be found or used.
        """

    @abstractmethod
    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (count, C, H, W), in place; call advance(n) after every n of them.

        Raises:
            DataError: an image cannot be read or used.
        """


def stamp(root: Path, files: Iterable[Path]) -> str:
    """Hash of the files' paths below `root`, sizes and times of change, without reading them."""
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        relative = os.fsencode(file.relative_to(root).as_posix())
        digest.update(relative + f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
