"""Images that are packed into other files."""

from genlab.data.collection import Collection
from genlab.data.containers import arrays
from genlab.data.containers.archives import Archives
from genlab.data.containers.container import Container
from genlab.data.containers.parquets import Parquets


class Archive(Collection):
    """All images in a zip or tar archive, or in all archives of a folder; see `Archives`."""

    def find(self) -> Container:
        """The archives at the path."""
        return Archives(self.path)


class Parquet(Collection):
    """All images in a Parquet file, or in all of a folder; see `Parquets`."""

    def find(self) -> Container:
        """The Parquet files at the path."""
        return Parquets(self.path, self.column)


class Arrays(Collection):
    """All images of an .npy or .npz file; see `genlab.data.containers.arrays.Arrays`."""

    def find(self) -> Container:
        """The file at the path."""
        return arrays.Arrays(self.path, self.column)
