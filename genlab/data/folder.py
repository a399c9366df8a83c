"""Anybody's images: a folder, or an archive."""

from pathlib import Path

from genlab.bounds import WHITE_LEVEL
from genlab.data.collection import Collection
from genlab.data.containers.container import Container
from genlab.data.containers.find import found


class Folder(Collection):
    """All images at a path, of any size and mode, in the order of their paths.

    What is left out is logged.

    Args:
        path: a folder of images, or what else `found` knows.
        resolution, channels, strict, skip_unreadable, max_pixels, white_level: see `Collection`.
    """

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
        super().__init__(resolution, channels, strict, skip_unreadable, max_pixels, white_level)
        self.path = Path(path).expanduser()

    def find(self) -> Container:
        """What the path is."""
        return found(self.path)
