"""A folder of anybody's images."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genlab.data.pixels import RULE, fit, in_threads, pillow_quiet, upright
from genlab.data.source import Advance, Annotations, Source, stamp
from genlab.errors import ConfigError, DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_NAMED = 5
_logger = logging.getLogger(__name__)


class Folder(Source):
    """All images below a folder, of any size and mode, in the order of their paths.

    If every image lies in a subfolder and there are two or more, these are the classes of the
    label "label". Of moving pictures the first frame counts. Hidden files and __MACOSX are left
    out, and so are links that lead out of the folder; linked folders are not entered.

    Args:
        path: the folder.
        resolution, channels: see `Source`.
        strict: refuse images that are not yet of this size and mode instead of converting them.
        skip_unreadable: leave out images that cannot be read, with a warning, instead of stopping.
        max_pixels: refuse larger images unread; a small file may claim to be enormous.
    """

    def __init__(
        self,
        path: str,
        resolution: int,
        channels: int,
        strict: bool,
        skip_unreadable: bool,
        max_pixels: int,
    ) -> None:
        super().__init__(resolution, channels)
        if max_pixels < 1:
            raise ConfigError(f"data.max_pixels={max_pixels} must be at least 1")
        self.path = Path(path).expanduser()
        self.strict = strict
        self.skip_unreadable = skip_unreadable
        self.max_pixels = max_pixels

    @cached_property
    def files(self) -> list[Path]:
        """Every image file, sorted; DataError if there is none."""
        if not self.path.exists():
            raise DataError(f"data.path={self.path} does not exist: name a folder of images")
        if not self.path.is_dir():
            raise DataError(f"data.path={self.path} is not a folder: name the folder around it")
        files = sorted(pictures_below(self.path))
        if not files:
            kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
            raise DataError(f"data.path={self.path} holds no images: it needs files of {kinds}")
        return files

    @cached_property
    def usable(self) -> list[Path]:
        """The files that `write` fills in; reads all headers, and all pixels when skipping.

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
            names = ", ".join(str(file.relative_to(self.path)) for file in skipped[:_NAMED])
            more = ", ..." if len(skipped) > _NAMED else ""
            _logger.warning("skipped %d unreadable images: %s%s", len(skipped), names, more)
        if not usable:
            raise DataError(f"data.path={self.path}: none of {len(found)} images can be read")
        if converted := sum(1 for changed in found if changed):
            _logger.info("%d of %d images are converted: %s", converted, len(usable), RULE)
        return usable

    def fingerprint(self) -> dict[str, object]:
        """Settings and a stamp of all files."""
        return super().fingerprint() | {
            "strict": self.strict,
            "skip_unreadable": self.skip_unreadable,
            "max_pixels": self.max_pixels,
            "files": stamp(self.path, self.files),
        }

    def count(self) -> int:
        """Number of usable images."""
        return len(self.usable)

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (N, C, H, W)."""

        def place(position: int) -> None:
            with self._open(self.usable[position]) as image:
                images[position] = fit(upright(image), self.resolution, self.channels)

        with pillow_quiet():
            in_threads(place, range(len(self.usable)), advance)
        labels, classes = self._classes()
        about = f"{len(images)} images of the folder {Path(os.path.realpath(self.path)).name}"
        return Annotations(about, labels, classes)

    def _classes(self) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
        parts = [file.relative_to(self.path).parts for file in self.usable]
        names = sorted({folders[0] for folders in parts})
        if len(names) < 2 or any(len(folders) == 1 for folders in parts):
            return {}, {}
        numbers = {name: number for number, name in enumerate(names)}
        labels = np.array([numbers[folders[0]] for folders in parts], np.int64)
        return {"label": labels}, {"label": names}

    def _survey(self, file: Path) -> bool | None:
        """Whether an image is to be converted; None if it is skipped."""
        try:
            with self._open(file) as image:
                if self.skip_unreadable:
                    fit(upright(image), self.resolution, self.channels)
                mode = "L" if self.channels == 1 else "RGB"
                wanted = (mode, (self.resolution, self.resolution))
                kind, size = image.mode, image.size
        except DataError:
            if self.skip_unreadable:
                return None
            raise
        if self.strict and (kind, size) != wanted:
            raise DataError(
                f"{file} is {size[0]} x {size[1]} {kind}, not {self.resolution} x "
                f"{self.resolution} {mode}: convert it or set data.strict=false"
            )
        return (kind, size) != wanted

    @contextmanager
    def _open(self, file: Path) -> Iterator["Image"]:
        """The image with its header read; any failure until it is closed names the file."""
        from PIL import Image

        try:
            with Image.open(file) as image:
                if image.width * image.height > self.max_pixels:
                    raise ValueError(
                        f"{image.width} x {image.height} pixels are more than "
                        f"data.max_pixels={self.max_pixels}"
                    )
                yield image
        # Pillow's decoders answer damaged bytes with nearly any exception.
        except Exception as error:
            raise DataError(
                f"{file} cannot be used: {error}; mend or remove it, or set "
                "data.skip_unreadable=true"
            ) from error


def pictures_below(root: Path) -> Iterator[Path]:
    """Every image file below the folder, by its suffix; see `Folder` for what is left out."""
    real_root = os.path.realpath(root)
    for parent, folders, names in os.walk(root, onerror=_refuse):
        folders[:] = [name for name in folders if not _hidden(name)]
        for name in names:
            file = Path(parent, name)
            if _hidden(name) or file.suffix.lower() not in SUFFIXES:
                continue
            if not Path(os.path.realpath(file)).is_relative_to(real_root):
                continue
            if file.is_file():
                yield file


def _refuse(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be listed: {error.strerror}") from error


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
