"""Image files below a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from genlab.data.containers.container import Container, Limit
from genlab.data.image_files import opened
from genlab.data.listing import SUFFIXES, images_below, say_left_out
from genlab.data.source import stamp
from genlab.errors import DataMissing
from genlab.words import base_name, readable

if TYPE_CHECKING:
    from PIL.Image import Image


class Files(Container):
    """All image files below a folder, in the order of their paths; see `images_below`."""

    kind: ClassVar[str] = "Folder"

    @cached_property
    def names(self) -> Sequence[str]:
        """The path of each image below the folder; what is left out is logged."""
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
        return [file.relative_to(self.path).as_posix() for file in files]

    @property
    def about(self) -> str:
        """The folder's name."""
        return f"of the folder {base_name(self.path)}"

    def stamp(self) -> str:
        """Of all files' paths, sizes and times."""
        return stamp(self.path, (self.path / name for name in self.names))

    def opened(self, position: int, limit: Limit) -> AbstractContextManager[Image]:
        """The image of a file."""
        return opened(self._file(position), *limit)

    def whereabouts(self, position: int) -> str:
        """The file's path."""
        return readable(self._file(position))

    def _file(self, position: int) -> Path:
        return self.path / self.names[position]
