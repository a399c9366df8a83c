"""Tar archives, plain and compressed, read in place."""

import bz2
import gzip
import lzma
import os
import tarfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from genlab.data.containers.members import MIB, Entry, Member, plain_name

_OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_RATIO = 100  # of unpacked to packed bytes: images are packed already
_SLACK = 1024 * MIB  # but flat ones may pack better
_LARGEST_READ = 16 * MIB  # of headers, names among them
_KEPT = 64 * MIB  # of what was unpacked last: threads ask for it not quite in order
_MOST_READERS = 2  # at the end of one archive the next one begins


class Tar:
    """A tar archive; a member's `start` is that of its content.

    Plain ones are read at any place, by any number of threads. To reach a member of a compressed
    one, all in front of it is unpacked: they are read from front to back, and from the beginning
    again where a member lies far behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.compressed = _opener(path) is not open

    def entries(self) -> Iterator[Entry]:
        """All that is in it but folders, in the order of the archive."""
        with _Unpacked(self.path) as file, _listed(file) as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # a million of them would take a gigabyte
                if not info.isdir():
                    head = partial(_first, file, info)
                    yield Entry(info.name, _member(info), head)
            file.seek(archive.offset)
            if any(file.read(tarfile.BLOCKSIZE)):
                raise ValueError(f"it is damaged after {archive.offset:,} bytes")

    def read(self, member: Member) -> bytes:
        """The bytes of a member."""
        if self.compressed:
            content = _reader(self.path).read(member.start, member.size)
        else:
            with self.path.open("rb") as file:
                file.seek(member.start)
                content = file.read(member.size)
        if len(content) != member.size:
            raise ValueError("the archive ends within it")
        return content


def _listed(file: "_Unpacked") -> Any:
    """What lists an archive: a TarFile, whose stub does not know its members."""
    return tarfile.open(fileobj=cast(Any, file), mode="r:")


class _Unpacked:
    """The content of an archive file as tarfile reads it, within bounds."""

    def __init__(self, path: Path) -> None:
        opener = _opener(path)
        size = path.stat().st_size
        self._most = size if opener is open else _RATIO * size + _SLACK
        self._file = opener(path) if opener is not open else path.open("rb")

    def __enter__(self) -> "_Unpacked":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def tell(self) -> int:
        """Bytes from the beginning."""
        place: int = self._file.tell()
        return place

    def seek(self, place: int) -> None:
        """Go to so many bytes from the beginning; ValueError where no archive is that large."""
        if place > self._most + tarfile.BLOCKSIZE:
            raise ValueError(
                f"it unpacks to more than {self._most // MIB:,} MiB, as decompression bombs do"
            )
        self._file.seek(place)

    def read(self, size: int) -> bytes:
        """The next bytes; ValueError for more of them than any header has."""
        if not 0 <= size <= _LARGEST_READ:
            raise ValueError(f"a header in it claims {size // MIB:,} MiB")
        content: bytes = self._file.read(size)
        return content


class _Reader:
    """A compressed archive that threads of one process read nearly from front to back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._restart()

    def _restart(self) -> None:
        self._file = _Unpacked(self._path)
        self._first = 0
        self._kept = bytearray()  # the bytes from `_first` on

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes from `start` on, fewer where the archive ends."""
        with self._lock:
            if start < self._first:
                self._file.__exit__()
                self._restart()
            while (end := self._first + len(self._kept)) < start + size:
                self._file.seek(end)  # it is there; this compares it with the bound
                block = self._file.read(MIB)
                if not block:
                    break
                self._kept += block
                passed = min(start, end + len(block) - _KEPT) - self._first
                if passed > 0:
                    del self._kept[:passed]
                    self._first += passed
            return bytes(self._kept[start - self._first : start - self._first + size])


_readers: OrderedDict[tuple[int, Path], _Reader] = OrderedDict()
_finding = threading.Lock()


def _reader(path: Path) -> _Reader:
    """The reader of a compressed archive in this process."""
    key = os.getpid(), path  # a process that was forked has no share in its parent's place
    with _finding:
        if key not in _readers:
            _readers[key] = _Reader(path)
        _readers.move_to_end(key)
        while len(_readers) > _MOST_READERS:
            _readers.popitem(last=False)
        return _readers[key]


def release() -> None:
    """Close what is open in this process, and forget what was unpacked."""
    with _finding:
        _readers.clear()


def _opener(path: Path) -> Any:
    """What opens a file, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(8)
    return next((opener for mark, opener in _OPENERS.items() if head.startswith(mark)), open)


def _first(file: _Unpacked, info: tarfile.TarInfo, count: int) -> bytes:
    """The first bytes of a member, at most so many."""
    if not info.isreg() or info.sparse is not None:
        return b""
    file.seek(info.offset_data)
    left, parts = min(count, info.size), []
    while left > 0 and (part := file.read(min(left, MIB))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _member(info: tarfile.TarInfo) -> Member | None:
    """A regular file within the archive; None for links, devices, holes and names that lead out."""
    name = plain_name(info.name)
    if name is None or not info.isreg() or info.sparse is not None:
        return None
    return Member(name, info.offset_data, info.size, info.size)
