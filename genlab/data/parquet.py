"""Images in Parquet files."""

from pathlib import Path

from genlab.bounds import WHITE_LEVEL
from genlab.data.collection import Collection
from genlab.data.containers.container import Container
from genlab.data.containers.parquets import Parquets


class Parquet(Collection):
    """All images in Parquet files, of any size and mode, in the order of their rows.

    Args:
        path: a file, or a folder of them; see `Parquets`.
        image_column: the column of the images; None to find it.
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
        image_column: str | None = None,
    ) -> None:
        super().__init__(resolution, channels, strict, skip_unreadable, max_pixels, white_level)
        self.path = Path(path).expanduser()
        self.image_column = image_column

    def find(self) -> Container:
        """The Parquet files at the path."""
        return Parquets(self.path, self.image_column)
