"""Image files of others: only known formats are opened, within bounds, and nothing is run.

Pillow alone would start Ghostscript for an EPS that is named .png, wait for ever for a pipe, and
decode a few kilobytes to gigabytes.
"""

from __future__ import annotations

import io
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from genlab.data.budget import Budget
from genlab.data.jpegs import coefficients, refuse_many_scans
from genlab.errors import DataError
from genlab.words import readable

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000
BYTES_PER_PIXEL = 5
"""What decoding may take for each pixel of `max_pixels`: 4 in memory, the rest for the decoder."""
BUDGET = BYTES_PER_PIXEL * MAX_PIXELS
"""Bytes that all threads of this process together may decode at a time."""

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
_MIB = 2**20
_HEADER = 16 * _MIB  # read on opening; colour profiles and texts are far smaller
_WHOLE_FILE = 64 * _MIB  # of WEBP and AVIF, which are read at once
_LARGE_READ = _MIB  # decoders ask for less at a time
_MOST_STRIPS = 2**20
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}


class EmptyImage(DataError):
    """A file of no bytes."""


class Encoded(NamedTuple):
    """The content of an image file that lies within another file.

    Attributes:
        name: what messages call it.
        content: the bytes.
    """

    name: str
    content: bytes


@contextmanager
def opened(
    file: Path | Encoded, fix: str, max_pixels: int = MAX_PIXELS, key: str = ""
) -> Iterator[Image]:
    """The first image of a file with its header read, not yet decoded.

    Args:
        file: a regular file, a link to one, or the content of one.
        fix: what messages advise.
        max_pixels: the most pixels; decoding may take 5 bytes for each of these.
        key: the setting that says `max_pixels`, for messages.

    Raises:
        EmptyImage: it has no bytes.
        DataError: it cannot be used; any failure until the block ends names the file.
    """
    from PIL import Image

    try:
        with _bounded(file) as bounded:
            if not bounded.size:
                raise EmptyImage("it has no bytes")
            _refuse_many_strips(bounded)
            with Image.open(bounded, formats=formats()) as image:
                bounded.header_read = True
                refuse_many_scans(image)
                _refuse_large(image, max_pixels, key)
                yield image
    # Pillow's decoders answer damaged bytes with nearly any exception.
    except Exception as error:
        reason = "not an image of a known format" if _is_unknown(error) else str(error)
        name = file.name if isinstance(file, Encoded) else readable(file)
        kind = EmptyImage if isinstance(error, EmptyImage) else DataError
        raise kind(f"{name} cannot be used: {reason}; {fix}") from error


@cache
def formats() -> tuple[str, ...]:
    """Formats that are opened, as this Pillow calls them."""
    from PIL import Image, features

    Image.init()
    supported = {"AVIF": "avif", "WEBP": "webp"}
    return tuple(
        name
        for name in _FORMATS
        if name in Image.OPEN and (name not in supported or features.check(supported[name]))
    )


def looks_like_image(path: Path) -> bool:
    """Whether the file starts as images of a known format do, whatever it is called."""
    try:
        with _bounded(path) as file:
            return begins_like_image(file.read(32))
    except (OSError, ValueError):
        return False


def begins_like_image(head: bytes) -> bool:
    """Whether 32 bytes are the first ones of an image of a known format."""
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
    tiff = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    bitmap = head[:2] == b"BM" and head[6:10] == bytes(4) and head[15:18] == bytes(3)
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    avif = head[4:12] in (b"ftypavif", b"ftypavis") and "AVIF" in formats()
    return head.startswith((*starts, *tiff)) or bitmap or webp or avif


@contextmanager
def decoding(image: Image, scale: int = 1) -> Iterator[None]:
    """Wait until the budget allows to decode the image, at 1/scale of each side."""
    with _budget.held(decoded_bytes(image, scale)):
        yield


def decoded_bytes(image: Image, scale: int = 1) -> int:
    """Bytes that decoding takes at its peak, by the format; at 1/scale of each side.

    The factors were measured with Pillow 13: WEBP and AVIF hold several copies, libtiff a strip,
    and libjpeg all coefficients where the file has several scans.
    """
    pixels = image.width * image.height
    stored = _BYTES.get(image.mode, 4)
    kind = image.format
    if kind in ("WEBP", "AVIF"):
        return 18 * pixels
    if kind in ("JPEG", "MPO"):
        return stored * (pixels // scale**2) + coefficients(image)
    if kind == "TIFF":
        return stored * pixels + _strip_bytes(image)
    return stored * pixels


_budget = Budget(BUDGET)


class _Bounded(io.BufferedReader):
    """A file of `size` bytes whose headers and trailers are read up to a bound.

    Pillow keeps colour profiles, texts and tags of any length. Decoders take pixels in small
    pieces, which are bounded by the size of the image.
    """

    def __init__(self, raw: Any, size: int) -> None:
        super().__init__(raw)
        self.header_read = False
        self._count = 0
        self.size = size

    def read(self, size: int | None = -1, /) -> bytes:
        """Like any file's; ValueError where what is no pixels is too large."""
        if size is None or size < 0:
            if self.size > _WHOLE_FILE:
                raise ValueError(f"its {self.size // _MIB} MiB are too many for this format")
        elif not self.header_read or size >= _LARGE_READ:
            self._count += size
            if self._count > _HEADER:
                raise ValueError(f"its header takes more than {_HEADER // _MIB} MiB")
        return super().read(size)


@contextmanager
def _bounded(source: Path | Encoded) -> Iterator[_Bounded]:
    """The file opened without waiting; ValueError where it is not a regular one."""
    if isinstance(source, Encoded):
        with _Bounded(io.BytesIO(source.content), len(source.content)) as file:
            yield file
        return
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(source, flags)
    status = os.fstat(descriptor)
    with _Bounded(io.FileIO(descriptor), status.st_size) as file:
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        yield file


def _refuse_large(image: Image, max_pixels: int, key: str) -> None:
    """Raise ValueError for more pixels, or more bytes of them, than are allowed."""
    size = f"{image.width} x {image.height} pixels"
    limit = f"{key}={max_pixels}" if key else str(max_pixels)
    if image.width * image.height > max_pixels:
        raise ValueError(f"{size} are too many, more than {limit}")
    # What is reduced while it is decoded may be as large as the pixels allow.
    wanted = decoded_bytes(image, scale=8)
    if wanted > BYTES_PER_PIXEL * max_pixels:
        raise ValueError(
            f"{size} of {image.format} take {wanted // _MIB} MiB to decode, more than the "
            f"{BYTES_PER_PIXEL * max_pixels // _MIB} of {limit}"
        )


def _strip_bytes(image: Any) -> int:
    """Bytes of a TIFF's strip or tile where libtiff decodes it, and of turning it upright."""
    tags = image.tag_v2
    turned = 4 * image.width * image.height if tags.get(0x112, 1) != 1 else 0
    if not image.tile or image.tile[0][0] != "libtiff":
        return turned
    width, rows = tags.get(322, image.width), tags.get(323) or tags.get(278, image.height)
    bits = max(tags.get(258, (8,))) * tags.get(277, 1)
    return int(width * min(rows, image.height) * bits // 8) + turned


def _refuse_many_strips(file: io.BufferedReader) -> None:
    """Raise ValueError for a TIFF of a million strips or tiles: Pillow lists each of them."""
    head = file.read(16)
    file.seek(0)
    if head[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") or len(head) < 16:
        return
    order, big = "<" if head[:1] == b"I" else ">", b"+" in head[:4]
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    file.seek(start)
    number = file.read(8 if big else 2)
    if len(number) == (8 if big else 2):
        (entries,) = struct.unpack(order + ("Q" if big else "H"), number)
        for _ in range(min(entries, 65535)):
            entry = file.read(20 if big else 12)
            if len(entry) < (20 if big else 12):
                break
            tag, _, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), entry)
            if tag in (273, 279, 324, 325) and count > _MOST_STRIPS:
                raise ValueError(f"it claims {count} strips or tiles")
    file.seek(0)


def _is_unknown(error: Exception) -> bool:
    from PIL import UnidentifiedImageError

    return isinstance(error, UnidentifiedImageError)
