"""Anybody's images, whatever holds them."""

from genlab.data.collection import Collection
from genlab.data.containers.container import Container
from genlab.data.containers.find import found


class Folder(Collection):
    """All images at a path, of any size and mode; see `found` for what the path may be.

    What is left out is logged.
    """

    def find(self) -> Container:
        """What the path is."""
        return found(self.path, self.column)
