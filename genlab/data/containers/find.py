"""Which kind of container a path is."""

from pathlib import Path

from genlab.data.containers import archives, arrays, parquets
from genlab.data.containers.archives import Archives
from genlab.data.containers.arrays import Arrays
from genlab.data.containers.container import Container
from genlab.data.containers.files import Files
from genlab.data.containers.hub import PREFIX, HubSet
from genlab.data.containers.parquets import Parquets
from genlab.data.listing import files_below, holds_images

_ARCHIVES = (b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_TAR = slice(257, 262)


def found(path: Path, column: str | None = None) -> Container:
    """The images at a path: a folder of images, archives or Parquet files, one of these, arrays.

    A folder that has images is one of images, whatever else it has. "hub:NAME" is a set on the hub.
    """
    if str(path).startswith(PREFIX):
        return HubSet(path, column)
    if path.is_dir():
        if holds_images(path):
            return Files(path)
        if files_below(path, archives.SUFFIXES):
            return Archives(path)
        if files_below(path, parquets.SUFFIXES):
            return Parquets(path, column)
    elif path.is_file():
        if _begins(path, b"PAR1") or path.name.lower().endswith(parquets.SUFFIXES):
            return Parquets(path, column)
        if path.name.lower().endswith(arrays.SUFFIXES) or _begins(path, b"\x93NUMPY"):
            return Arrays(path, column)
        if _is_archive(path):
            return Archives(path)
    return Files(path)


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _is_archive(path: Path) -> bool:
    """Whether a file begins as an archive does, or is called so."""
    with path.open("rb") as file:
        head = file.read(512)
    named = path.name.lower().endswith(archives.SUFFIXES)
    return named or head.startswith(_ARCHIVES) or head[_TAR] == b"ustar"
