"""What every container of images offers to a collection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from genlab.data.labels.columns import Column

if TYPE_CHECKING:
    from PIL.Image import Image


class Limit(NamedTuple):
    """How large an image may be, and what messages say of one that cannot be used.

    Attributes:
        fix: what messages advise.
        max_pixels: larger images are refused unread, see `opened`.
        key: the setting that says `max_pixels`.
    """

    fix: str
    max_pixels: int
    key: str


class Container(ABC):
    """Images in one place, by their position.

    Nothing is read before it is asked for. A container can be pickled: what it has listed goes
    with it, and every process opens the files for itself.

    Args:
        path: a file or a folder.
    """

    kind: ClassVar[str]
    """Its name in fingerprints."""
    has_columns: ClassVar[bool] = False
    """Whether there may be several columns or arrays of images to choose from."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    @abstractmethod
    def names(self) -> Sequence[str]:
        """The path of each image within the container, parts joined by "/".

        Raises:
            DataMissing: nothing is there.
            DataError: what is there cannot be read.
        """

    @property
    @abstractmethod
    def about(self) -> str:
        """What it is, as in "of the folder photos"."""

    @abstractmethod
    def stamp(self) -> str:
        """A hash that changes with the content; no image is read for it."""

    @abstractmethod
    def opened(self, position: int, limit: Limit) -> AbstractContextManager[Image]:
        """The image at a position with its header read, not yet decoded.

        Any failure until the context ends is a DataError that names the image. Threads may open
        several at once.
        """

    def columns(self) -> Sequence[Column] | None:
        """Labels that the container holds, values by position; None where only folders say any."""
        return None

    @property
    def reading_order(self) -> np.ndarray:
        """All positions in the order in which they are read fastest, int64 (N,)."""
        return np.arange(len(self.names))

    def release(self) -> None:  # noqa: B027 (few containers hold anything)
        """Give back the memory and the files that were kept for the next image."""

    def whereabouts(self, position: int) -> str:
        """The image at a position, as messages name it."""
        return f"{self.path}: {self.names[position]}"
