"""Images of any size and mode, prepared one by one from whatever holds them."""

import logging
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from genlab.bounds import WHITE_LEVEL
from genlab.data.containers.container import Container, Limit
from genlab.data.image_files import EmptyImage
from genlab.data.image_set import ImageSet
from genlab.data.labels.columns import Labels, encoded
from genlab.data.labels.labelling import Labelling
from genlab.data.listing import Layout, laid_out
from genlab.data.pixels import RULE, Fitted, fit, in_threads, is_turned, pillow_quiet
from genlab.data.source import Advance, Annotations, Source
from genlab.errors import ConfigError, DataError
from genlab.words import counted, readable, some

_TWELVE_BITS = 4096
_FIX = "fix or remove it, or set data.skip_unreadable=true"
_logger = logging.getLogger(__name__)


def _ignored(done: int) -> None:
    """Show nothing."""


class Collection(Source):
    """All images of a container, of any size and mode.

    `names` says what they are called and `prepared` gives each at its final size, by position, in
    any order and from any process: a collection can be pickled.

    Labels are what the container holds itself, see `Container`; else, if every image lies in a
    folder of it and there are two or more of these, they are the classes of the label "label".
    Folders train, val and test are parts of one set, see `laid_out`. Of moving images the first
    frame counts.

    Args:
        path: the file or folder that holds the images.
        resolution, channels: see `Source`.
        strict: refuse images that are not yet of this size and mode, or that EXIF turns, instead of
            converting them.
        skip_unreadable: leave out images that cannot be read, with a warning, instead of stopping;
            files of no bytes are left out anyway.
        max_pixels: refuse larger images unread, and those that take more than 5 bytes for each of
            these to decode; a small file may claim to be enormous.
        white_level: the value of white in images of 16 bits.
        column: what holds the images, where there is a choice: the column of a Parquet file, the
            array of an .npz; None to find it.
        labelling: further labels, and which of all count.
    """

    version: ClassVar[int] = 2

    def __init__(
        self,
        path: str,
        resolution: int,
        channels: int,
        strict: bool,
        skip_unreadable: bool,
        max_pixels: int,
        white_level: int = WHITE_LEVEL,
        column: str | None = None,
        labelling: Labelling | None = None,
    ) -> None:
        super().__init__(resolution, channels)
        if max_pixels < 1:
            raise ConfigError(f"data.max_pixels={max_pixels} must be at least 1")
        if not 1 <= white_level <= WHITE_LEVEL:
            raise ConfigError(f"data.white_level={white_level} must be from 1 to {WHITE_LEVEL}")
        self.path = Path(path).expanduser()
        self.strict = strict
        self.skip_unreadable = skip_unreadable
        self.max_pixels = max_pixels
        self.white_level = white_level
        self.column = column
        self.labelling = labelling or Labelling()
        self._limit = Limit(_FIX, max_pixels, "data.max_pixels")

    @abstractmethod
    def find(self) -> Container:
        """The container of the images; DataError where there is none."""

    @cached_property
    def container(self) -> Container:
        """What `find` found."""
        container = self.find()
        if self.column is not None and not container.has_columns:
            raise ConfigError(
                f"data.column={self.column}: {readable(self.path)} has no columns, set it to null"
            )
        return container

    @property
    def names(self) -> Sequence[str]:
        """The path of each image within the container, by position; see `Container`."""
        return self.container.names

    @cached_property
    def usable(self) -> np.ndarray:
        """Positions of the images that `write` uses; reads all headers, all pixels when skipping.

        Raises:
            DataError: an image is unreadable, too large or, if strict, to be converted.
        """
        count = len(self.container.names)
        order = self.container.reading_order.tolist()
        with pillow_quiet():
            converted_at = dict(zip(order, in_threads(self._survey, order, _ignored), strict=True))
        found = [converted_at[position] for position in range(count)]
        skipped = [position for position, converted in enumerate(found) if converted is None]
        if skipped:
            names = some([readable(self.container.names[position]) for position in skipped])
            _logger.warning("skipped %s: %s", counted(len(skipped), "unreadable image"), names)
        if len(skipped) == count:
            path = readable(self.container.path)
            raise DataError(f"data.path={path}: none of {counted(count, 'image')} can be read")
        if converted := sum(1 for changed in found if changed):
            usable = count - len(skipped)
            _logger.info("%d of %d images are converted: %s", converted, usable, RULE)
        return np.setdiff1d(np.arange(count), skipped)

    def prepared(self, position: int) -> Fitted:
        """The image at a position of the container, at its final size; see `fit`.

        Within `pillow_quiet`. Raises DataError where the image cannot be used.
        """
        with self.container.opened(position, self._limit) as image:
            return fit(image, self.resolution, self.channels, self.white_level)

    def fingerprint(self) -> dict[str, object]:
        """Settings and a stamp of the container, and of the labels that are added to it."""
        labels = self.labelling.fingerprint()
        return self.stored() | ({"labels": labels} if labels else {})

    def stored(self) -> dict[str, object]:
        """Settings and a stamp of the container."""
        chosen = self.labelling.chosen
        return super().fingerprint() | {
            "source": self.container.kind,
            "strict": self.strict,
            "skip_unreadable": self.skip_unreadable,
            "max_pixels": self.max_pixels,
            "white_level": self.white_level,
            "files": self.container.stamp(),
            **({"label_columns": chosen} if chosen and self.container.kind != "Folder" else {}),
        }

    def count(self) -> int:
        """Number of usable images."""
        return len(self.usable)

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (N, C, H, W)."""
        names = self.container.names
        layout = laid_out(
            [names[position] for position in self.usable], readable(self.container.path)
        )
        positions = self.usable[layout.order]
        places = np.empty(len(names), np.int64)
        places[self.container.reading_order] = np.arange(len(names))

        def place(row: int) -> int | None:
            images[row], deepest = self.prepared(int(positions[row]))
            return deepest

        with pillow_quiet():
            found = in_threads(place, np.argsort(places[positions]).tolist(), advance)
        self.container.release()
        self._warn_of_dark([deepest for deepest in found if deepest is not None])
        labels = self._labels(layout, positions)
        about = f"{counted(len(images), 'image')} {self.container.about}"
        return Annotations(
            about,
            labels.numbered,
            labels.classes,
            layout.test_start,
            [names[position] for position in positions],
        )

    @property
    def uses_names(self) -> bool:
        """Whether labels are added."""
        return self.labelling.replaces

    def labelled(self, image_set: ImageSet) -> ImageSet:
        """The set with the labels that count."""
        return self.labelling.applied(image_set)

    def _labels(self, layout: Layout, positions: np.ndarray) -> Labels:
        """What the container says itself, else what its folders say."""
        columns = self.container.columns()
        if columns is None:
            if not layout.classes:
                return Labels()
            return Labels({"label": layout.labels}, {"label": layout.classes})
        labels = encoded([column.at(positions) for column in columns], self.labelling.chosen)
        labels.say_unused()
        return labels

    def _warn_of_dark(self, deepest: list[int]) -> None:
        """Say where images of 16 bits, whose largest values are given, use 12 of them or less."""
        if deepest and max(deepest) < _TWELVE_BITS <= self.white_level:
            _logger.warning(
                "%d images of 16 bits are nearly black: no value is above %d of "
                "data.white_level=%d; if they hold 12 bits, set data.white_level=4095",
                len(deepest),
                max(deepest),
                self.white_level,
            )

    def _survey(self, position: int) -> bool | None:
        """Whether an image is to be converted; None if it is skipped."""
        try:
            with self.container.opened(position, self._limit) as image:
                mode = "L" if self.channels == 1 else "RGB"
                wanted = (mode, (self.resolution, self.resolution))
                kind, size = image.mode, image.size
                converted = (kind, size) != wanted or image.has_transparency_data
                turned = self.strict and is_turned(image)
                if self.skip_unreadable:
                    fit(image, self.resolution, self.channels)
        except DataError as error:
            is_empty = isinstance(error, EmptyImage) and not self.strict
            if self.skip_unreadable or is_empty:
                return None
            raise
        if self.strict and (converted or turned):
            what = f"{size[0]} x {size[1]} {kind}, not {self.resolution} x {self.resolution} {mode}"
            if (kind, size) == wanted:
                what = "turned by its EXIF orientation" if turned else "transparent in parts"
            where = self.container.whereabouts(position)
            raise DataError(f"{where} is {what}: convert it or set data.strict=false")
        return converted
