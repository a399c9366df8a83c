"""Images in archives."""

from pathlib import Path

from genlab.bounds import WHITE_LEVEL
from genlab.data.collection import Collection
from genlab.data.containers.archives import Archives
from genlab.data.containers.container import Container


class Archive(Collection):
    """All images in zip or tar archives, of any size and mode, in the order of their paths.

    Args:
        path: an archive, or a folder of them; see `Archives`.
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
        """The archives at the path."""
        return Archives(self.path)
