"""A folder of anybody's images."""

from pathlib import Path

from genlab.bounds import WHITE_LEVEL
from genlab.data.collection import Collection
from genlab.data.containers.container import Container
from genlab.data.containers.files import Files


class Folder(Collection):
    """All images below a folder, of any size and mode, in the order of their paths.

    What is left out is logged.

    Args:
        path: the folder.
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
        """The files below the folder."""
        return Files(self.path)
