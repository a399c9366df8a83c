"""Hashes of a prepared set, so that no model learns from images with flipped bits.

Images are hashed in blocks: a set in memory is compared as a whole, once in a process, which takes
about a second for each GiB; of a memory-mapped set, which may be larger than that would allow, a
few blocks are drawn every time that it is opened.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from genlab.errors import DataError

BLOCK = 2**24  # bytes
DRAWN = 16  # blocks of a memory-mapped set

_known: set[tuple[Path, int]] = set()  # sets in memory that were compared, by folder and time


def of(images: np.ndarray, labels: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Of images (N, C, H, W), a hash for each block; of labels (N,), one each."""
    content = _bytes(images)
    blocks = range(-(-len(content) // BLOCK))
    return {
        "images": [_of_block(content, number) for number in blocks],
        "labels": {name: _hash(_bytes(values)) for name, values in labels.items()},
    }


def refuse_damaged(
    folder: Path,
    hashes: Mapping[str, Any] | None,
    images: np.ndarray,
    labels: Mapping[str, np.ndarray],
) -> None:
    """Raise DataError where they are not what they were; sets without hashes are from before."""
    if hashes is None:
        return
    content, expected = _bytes(images), hashes["images"]
    blocks = np.arange(len(expected))
    known = (folder, (folder / "images.npy").stat().st_mtime_ns)
    mapped = isinstance(images, np.memmap)
    if mapped:
        blocks = np.random.default_rng().permutation(blocks)[:DRAWN]
    elif known in _known:
        blocks = blocks[:0]
    if len(expected) != -(-len(content) // BLOCK):
        raise DataError("images.npy has another number of blocks than hashes")
    for number in blocks:
        if _of_block(content, int(number)) != expected[number]:
            raise DataError("images.npy does not match its sha256")
    for name, values in labels.items():
        if _hash(_bytes(values)) != hashes["labels"].get(name):
            raise DataError(f"labels.npz: {name} does not match its sha256")
    if not mapped:
        _known.add(known)


def _bytes(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1).view(np.uint8)


def _of_block(content: np.ndarray, number: int) -> str:
    return _hash(content[number * BLOCK : (number + 1) * BLOCK])


def _hash(content: np.ndarray) -> str:
    return hashlib.sha256(content.data).hexdigest()
