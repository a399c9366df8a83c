"""Zip archives, read in place."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from genlab.data.containers.members import Entry, Member, plain_name

_ENCRYPTED = 1
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DEFLATE_RATIO = 1032  # what deflate reaches at best


class Zip:
    """A zip archive whose members are stored or deflated.

    A member's `start` is that of its local header. Every read opens the file anew: there is no
    place in it that threads or processes would share.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> Iterator[Entry]:
        """All that is in it but folders, in the order of its table."""
        with zipfile.ZipFile(self.path) as archive:
            found = archive.infolist()
        _refuse_overlapping(found)
        for info in found:
            if not info.is_dir():
                member = _member(info)
                yield Entry(info.filename, member, partial(self._head, member))

    def read(self, member: Member) -> bytes:
        """The bytes of a member."""
        content = self._content(member, member.size)
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise ValueError("it does not match its checksum")
        return content

    def _head(self, member: Member | None, count: int) -> bytes:
        return b"" if member is None else self._content(member, min(count, member.size))

    def _content(self, member: Member, count: int) -> bytes:
        """The first `count` bytes of a member; no more are made."""
        if not count:
            return b""
        with self.path.open("rb") as file:
            file.seek(member.start)
            mark, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            if mark != b"PK\3\4":
                raise ValueError("no member begins where the table says")
            file.seek(name + extra, os.SEEK_CUR)
            if not member.deflated:
                return file.read(count)
            packed = file.read(min(member.packed, count + 1024))  # it may grow a little
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return inflate.decompress(packed, count)


def _member(info: zipfile.ZipInfo) -> Member | None:
    """A file of a name and a packing that are read; None for others, and for links."""
    name = plain_name(info.filename)
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if name is None or is_link or not known or info.flag_bits & _ENCRYPTED:
        return None
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if info.file_size > max(1, _DEFLATE_RATIO if deflated else 1) * max(info.compress_size, 1):
        return None
    return Member(name, info.header_offset, info.file_size, info.compress_size, deflated, info.CRC)


def _refuse_overlapping(found: Sequence[zipfile.ZipInfo]) -> None:
    """Raise ValueError where members share bytes, as only decompression bombs do."""
    end = 0
    for info in sorted(found, key=lambda each: each.header_offset):
        if info.header_offset < end:
            raise ValueError("its members overlap, as those of decompression bombs do")
        end = info.header_offset + _LOCAL_HEADER.size + info.compress_size
