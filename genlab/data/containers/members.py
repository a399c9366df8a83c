"""What archives say of the files in them, and which of those are used."""

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

MIB = 2**20
UNREADABLE = (
    *(OSError, EOFError, ValueError, OverflowError, MemoryError, NotImplementedError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)
"""What the standard library raises for damaged archives."""


class Member(NamedTuple):
    """A file in an archive.

    Attributes:
        name: its path in the archive, parts joined by "/".
        start: the byte of the archive at which it is found, see each kind of archive.
        size: its bytes.
        packed: the bytes that it takes in the archive.
        deflated: whether these are to be inflated.
        crc: checksum of its bytes; None where the archive has none.
    """

    name: str
    start: int
    size: int
    packed: int
    deflated: bool = False
    crc: int | None = None


class Entry(NamedTuple):
    """A member while the archive is listed.

    Attributes:
        member: the file; None for what is no file: a link, a device, something encrypted.
        name: as the archive has it.
        head: gives the first bytes, at most so many; only until the next entry is asked for.
    """

    name: str
    member: Member | None
    head: Callable[[int], bytes]


class Archive(Protocol):
    """One archive file; objects can be pickled and hold no open file."""

    def entries(self) -> Iterator[Entry]:
        """All that is in it but folders; ValueError and the like where it is damaged."""

    def read(self, member: Member) -> bytes:
        """The bytes of a member; ValueError and the like where they are not what was promised."""


def plain_name(name: str) -> str | None:
    """A member's path without "." and doubled slashes; None where it leads out of the archive."""
    name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    leads_out = name.startswith("/") or ".." in parts or name[1:2] == ":" or "\0" in name
    return None if leads_out or not parts else "/".join(parts)


def below_common(paths: Sequence[str]) -> list[str]:
    """Paths below the folder that all of them are in, as where a folder was packed by its name."""
    if not paths:
        return []
    # Of the first and the last of all folders in order the others have what these have in common.
    folders = [path.split("/")[:-1] for path in paths]
    first, last = min(folders), max(folders)
    common = 0
    while common < len(first) and first[common : common + 1] == last[common : common + 1]:
        common += 1
    return ["/".join(path.split("/")[common:]) for path in paths]
