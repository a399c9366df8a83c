"""Images that are packed into other files."""

from genlab.data.collection import Collection
from genlab.data.containers import arrays
from genlab.data.containers.archives import Archives
from genlab.data.containers.container import Container
from genlab.data.containers.hub import PREFIX, HubSet
from genlab.data.containers.parquets import Parquets


class Archive(Collection):
    """All images in a zip or tar archive, or in all archives of a folder; see `Archives`."""

    def find(self) -> Container:
        """The archives at the path."""
        return Archives(self.path)


class Parquet(Collection):
    """All images in a Parquet file, in all of a folder, or on the hub; see `Parquets`, `HubSet`."""

    def find(self) -> Container:
        """The Parquet files at the path, or the set on the hub."""
        kind = HubSet if str(self.path).startswith(PREFIX) else Parquets
        return kind(self.path, self.column)


class Arrays(Collection):
    """All images of an .npy or .npz file; see `genlab.data.containers.arrays.Arrays`."""

    def find(self) -> Container:
        """The file at the path."""
        return arrays.Arrays(self.path, self.column)
