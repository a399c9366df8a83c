"""NumPy's files of others: a header is believed only where its bytes are there."""

import math
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from genlab.io.reading import Error, free_memory, one_line, require_regular

_ENTRIES = 1000  # of an archive
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip: its mark, the lengths of what follows
_NUMBERS = "biuf"  # NumPy's kinds: bool, int, uint, float


class _Header(NamedTuple):
    """What an .npy file says of its array, and the bytes that hold it."""

    shape: tuple[int, ...]
    in_fortran_order: bool
    dtype: np.dtype
    size: int


def read_npz(
    path: Path, error: Error, names: Iterable[str] | None = None, follow: bool = True
) -> dict[str, np.ndarray]:
    """Arrays of numbers in an .npz archive by name; all of them, or those of `names` that it has.

    Nothing is unpickled, and no memory is asked for that the archive does not fill.
    """
    require_regular(path, error, follow)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive)
            wanted = [name for name in (entries if names is None else names) if name in entries]
            size = sum(entries[name].file_size for name in wanted)
            if size > free_memory():
                raise ValueError(f"{size / 2**30:,.1f} GiB, more than the memory that is free")
            arrays = {}
            for name in wanted:
                with archive.open(entries[name]) as file:
                    arrays[name] = _array(file, entries[name].file_size)
            return arrays
    # Damaged archives, encrypted ones and headers are answered with nearly any exception.
    except Exception as problem:
        raise error(f"{path}: not readable as an npz of numbers ({one_line(problem)})") from problem


def map_npz(path: Path, error: Error) -> dict[str, np.ndarray]:
    """The arrays of an .npz archive by name, read-only: mapped, or in memory where compressed."""
    require_regular(path, error, follow=True)
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            found = {
                name: _mapped(archive, entry, file)
                for name, entry in _entries(archive).items()
                if entry.compress_type == zipfile.ZIP_STORED
            }
            packed = [name for name in _entries(archive) if name not in found]
    except Exception as problem:
        raise error(f"{path}: not readable as an npz of numbers ({one_line(problem)})") from problem
    return found | (read_npz(path, error, packed) if packed else {})


def read_npy(path: Path, error: Error, mapped: bool = False, follow: bool = False) -> np.ndarray:
    """The array of numbers in an .npy file, in memory or mapped and read-only."""
    size = require_regular(path, error, follow).st_size
    try:
        with path.open("rb") as file:
            _read_header(file, size)
        array: np.ndarray = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        return array
    except Exception as problem:
        raise error(f"{path}: not readable as an array ({one_line(problem)})") from problem


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Members by the names of their arrays; ValueError for many, or two of one name."""
    entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
    if len(archive.infolist()) > min(_ENTRIES, len(entries)):
        raise ValueError(f"more than {_ENTRIES} arrays, or two of one name")
    return entries


def _mapped(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: IO[bytes]) -> np.ndarray:
    """A member that is stored as it is, where it lies in the file."""
    with archive.open(entry) as member:
        header = _read_header(member, entry.file_size)
        length = member.tell()
    file.seek(entry.header_offset)
    _, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if not header.size:
        return np.empty(header.shape, header.dtype)
    return np.memmap(
        file,
        header.dtype,
        mode="r",
        offset=file.tell() + name + extra + length,
        shape=header.shape,
        order="F" if header.in_fortran_order else "C",
    )


def _array(file: IO[bytes], size: int) -> np.ndarray:
    header = _read_header(file, size)
    shape = header.shape[::-1] if header.in_fortran_order else header.shape
    array = np.empty(shape, header.dtype)
    content = array.reshape(-1).view(np.uint8)
    filled = 0
    while filled < header.size:
        part = file.read(min(header.size - filled, 2**24))
        if not part:
            raise ValueError(f"it ends after {filled:,} of {header.size:,} bytes")
        content[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    return array.T if header.in_fortran_order else array


def _read_header(file: IO[bytes], size: int) -> _Header:
    """Of a file of `size` bytes, which is left at the first value; ValueError for other sizes."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"version {version}")
    if dtype.kind not in _NUMBERS:
        raise ValueError("it holds other things than numbers")
    claimed, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if min(shape, default=0) < 0 or claimed != there:
        raise ValueError(f"its header claims {claimed:,} bytes where there are {there:,}")
    return _Header(shape, fortran, dtype, claimed)
