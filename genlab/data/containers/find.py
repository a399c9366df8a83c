"""Which kind of container a path is."""

from pathlib import Path

from genlab.data.containers import archives
from genlab.data.containers.archives import Archives
from genlab.data.containers.container import Container
from genlab.data.containers.files import Files
from genlab.data.listing import files_below, holds_images

_ARCHIVES = (b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_TAR = slice(257, 262)


def found(path: Path) -> Container:
    """The images at a path: a folder of images or of archives, or an archive.

    A folder that has images is one of images, whatever else it has.
    """
    if path.is_dir():
        if not holds_images(path) and files_below(path, archives.SUFFIXES):
            return Archives(path)
    elif path.is_file() and _is_archive(path):
        return Archives(path)
    return Files(path)


def _is_archive(path: Path) -> bool:
    """Whether a file begins as an archive does, or is called so."""
    with path.open("rb") as file:
        head = file.read(512)
    named = path.name.lower().endswith(archives.SUFFIXES)
    return named or head.startswith(_ARCHIVES) or head[_TAR] == b"ustar"
