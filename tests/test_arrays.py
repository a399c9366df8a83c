"""NumPy's files of others: believed only where their bytes are there."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from genlab.errors import DataError
from genlab.io.arrays import read_npy, read_npz


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def claiming(shape: str) -> bytes:
    """The header of an array of any shape, and eight bytes."""
    real = npy(np.zeros(8, np.uint8))
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    return real[:10] + header.ljust(len(real) - 8 - 10 - 1).encode() + b"\n" + real[-8:]


def archive(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(f"{name}.npy", content)
    return path


ARRAYS = {
    "grey": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "single": np.int64(7),
    "none": np.zeros((0, 4), np.float32),
    "truth": np.array([True, False]),
}


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_what_numpy_wrote_is_read(write, tmp_path: Path) -> None:
    write(tmp_path / "a.npz", **ARRAYS)
    found = read_npz(tmp_path / "a.npz", DataError)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert list(read_npz(tmp_path / "a.npz", DataError, ["grey", "absent"])) == ["grey"]


@pytest.mark.parametrize("mapped", [False, True])
def test_a_single_array_is_read_or_mapped(mapped: bool, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(npy(ARRAYS["grey"]))
    array = read_npy(tmp_path / "a.npy", DataError, mapped)
    assert np.array_equal(array, ARRAYS["grey"])
    assert isinstance(array, np.memmap) == mapped


HOSTILE = {
    "objects": npy(np.array([{}], object)),
    "text": npy(np.array(["a"])),
    "dates": npy(np.array(["2020-01-01"], "datetime64[D]")),
    "fields": npy(np.zeros(2, [("a", "u1")])),
    "terabytes": claiming("(1099511627776,)"),
    "too much for a number": claiming("(4611686018427387904, 16)"),
    "less than nothing": claiming("(-8,)"),
    "a shape of text": claiming("('a',)"),
    "deep": claiming("(" * 40),
    "code": claiming("__import__('os')"),
    "more than it says": npy(np.zeros(8, np.uint8)) + b"1234",
    "cut": npy(np.zeros(800, np.uint8))[:-5],
    "nothing": b"",
    "a page": b"<html>",
    "a later version": b"\x93NUMPY\x09\x00" + b"\0" * 100,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_arrays_that_are_none_are_refused(kind: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", images=HOSTILE[kind])
    (tmp_path / "a.npy").write_bytes(HOSTILE[kind])
    for read, name in ((read_npz, "a.npz"), (read_npy, "a.npy")):
        with pytest.raises(DataError, match=str(path.with_name(name))) as refused:
            read(path.with_name(name), DataError)
        assert len(str(refused.value).splitlines()) == 1
        assert len(str(refused.value)) < 300


def test_archives_that_are_none_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", images=npy(ARRAYS["grey"]))
    whole = path.read_bytes()
    encrypted = bytearray(whole)
    encrypted[6] |= 1
    encrypted[whole.index(b"PK\x01\x02") + 8] |= 1
    other_method = bytearray(whole)
    other_method[8] = 99
    other_method[whole.index(b"PK\x01\x02") + 10] = 99
    flipped = bytearray(whole)
    flipped[60] ^= 8
    for content in (whole[:-30], whole[:50], b"", encrypted, other_method, flipped):
        path.write_bytes(content)
        with pytest.raises(DataError, match=str(path)):
            read_npz(path, DataError)
    os.unlink(path)
    os.mkfifo(path)
    with pytest.raises(DataError, match="not a regular file"):
        read_npz(path, DataError)


def test_an_archive_that_grows_beyond_the_memory_is_refused(tmp_path: Path, monkeypatch) -> None:
    path = archive(tmp_path / "a.npz", images=npy(np.zeros(2**20, np.uint8)))
    monkeypatch.setattr("genlab.io.arrays.free_memory", lambda: 2**20)
    with pytest.raises(DataError, match="more than the memory that is free"):
        read_npz(path, DataError)
    path = archive(tmp_path / "b.npz", **{f"a{n}": npy(np.zeros(1)) for n in range(1001)})
    with pytest.raises(DataError, match="more than 1000 arrays"):
        read_npz(path, DataError)
