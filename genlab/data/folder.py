"""A folder of anybody's images."""

import logging
import os
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from genlab.bounds import WHITE_LEVEL
from genlab.data.image_files import opened
from genlab.data.listing import SUFFIXES, images_below, laid_out, say_left_out
from genlab.data.pixels import RULE, fit, in_threads, is_turned, pillow_quiet
from genlab.data.source import Advance, Annotations, Source, stamp
from genlab.errors import ConfigError, DataError, DataMissing
from genlab.words import counted, readable, some

if TYPE_CHECKING:
    from PIL.Image import Image

_TWELVE_BITS = 4096
_logger = logging.getLogger(__name__)


class Folder(Source):
    """All images below a folder, of any size and mode, in the order of their paths.

    If every image lies in a subfolder and there are two or more, these are the classes of the
    label "label"; folders train, val and test are parts of one set, see `laid_out`. Of moving
    images the first frame counts. What is left out is said.

    Args:
        path: the folder.
        resolution, channels: see `Source`.
        strict: refuse images that are not yet of this size and mode, or that EXIF turns, instead of
            converting them.
        skip_unreadable: leave out images that cannot be read, with a warning, instead of stopping.
        max_pixels: refuse larger images unread, and those that take more than 5 bytes for each of
            these to decode; a small file may claim to be enormous.
        white_level: the value of white in images of 16 bits.
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

    @cached_property
    def files(self) -> list[Path]:
        """Every image file, sorted; DataError if there is none."""
        path = readable(self.path)
        if not self.path.exists():
            raise DataMissing(f"data.path={path} does not exist", "name a folder of images")
        if not self.path.is_dir():
            raise DataMissing(f"data.path={path} is not a folder", "name the folder around it")
        files, left_out = images_below(self.path)
        say_left_out(self.path, left_out)
        if not files:
            kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
            raise DataMissing(f"data.path={path} holds no images", f"it needs files of {kinds}")
        return files

    @cached_property
    def usable(self) -> list[Path]:
        """The files that `write` uses; reads all headers, and all pixels when skipping.

        Raises:
            DataError: an image is unreadable, too large or, if strict, to be converted.
        """
        with pillow_quiet():
            found = in_threads(self._survey, self.files, lambda done: None)
        usable = [
            file for file, converted in zip(self.files, found, strict=True) if converted is not None
        ]
        skipped = sorted(set(self.files) - set(usable))
        if skipped:
            names = some([readable(file.relative_to(self.path)) for file in skipped])
            _logger.warning("skipped %s: %s", counted(len(skipped), "unreadable image"), names)
        if not usable:
            path = readable(self.path)
            raise DataError(f"data.path={path}: none of {counted(len(found), 'image')} can be read")
        if converted := sum(1 for changed in found if changed):
            _logger.info("%d of %d images are converted: %s", converted, len(usable), RULE)
        return usable

    def fingerprint(self) -> dict[str, object]:
        """Settings and a stamp of all files."""
        return super().fingerprint() | {
            "strict": self.strict,
            "skip_unreadable": self.skip_unreadable,
            "max_pixels": self.max_pixels,
            "white_level": self.white_level,
            "files": stamp(self.path, self.files),
        }

    def count(self) -> int:
        """Number of usable images."""
        return len(self.usable)

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (N, C, H, W)."""
        layout = laid_out(self.path, self.usable)

        def place(position: int) -> int | None:
            with self._open(layout.files[position]) as image:
                images[position], deepest = fit(
                    image, self.resolution, self.channels, self.white_level
                )
            return deepest

        with pillow_quiet():
            found = in_threads(place, range(len(images)), advance)
        self._warn_of_dark([deepest for deepest in found if deepest is not None])
        name = readable(Path(os.path.realpath(self.path)).name)
        about = f"{counted(len(images), 'image')} of the folder {name}"
        if not layout.classes:
            return Annotations(about, test_start=layout.test_start)
        return Annotations(
            about, {"label": layout.labels}, {"label": layout.classes}, layout.test_start
        )

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

    def _survey(self, file: Path) -> bool | None:
        """Whether an image is to be converted; None if it is skipped."""
        try:
            with self._open(file) as image:
                mode = "L" if self.channels == 1 else "RGB"
                wanted = (mode, (self.resolution, self.resolution))
                kind, size = image.mode, image.size
                converted = (kind, size) != wanted or image.has_transparency_data
                turned = self.strict and is_turned(image)
                if self.skip_unreadable:
                    fit(image, self.resolution, self.channels)
        except DataError:
            if self.skip_unreadable:
                return None
            raise
        if self.strict and (converted or turned):
            what = f"{size[0]} x {size[1]} {kind}, not {self.resolution} x {self.resolution} {mode}"
            if (kind, size) == wanted:
                what = "turned by its EXIF orientation" if turned else "transparent in parts"
            raise DataError(f"{readable(file)} is {what}: convert it or set data.strict=false")
        return converted

    def _open(self, file: Path) -> AbstractContextManager["Image"]:
        """The image with its header read; any failure until it is closed names the file."""
        fix = "fix or remove it, or set data.skip_unreadable=true"
        return opened(file, fix, self.max_pixels, "data.max_pixels")
