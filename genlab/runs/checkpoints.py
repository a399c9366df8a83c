"""Checkpoints: written atomically, verified by a hash, and read without running code."""

import errno
import hashlib
import io
import logging
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from genlab.config.migration import migrated_state
from genlab.errors import CheckpointError
from genlab.io.reading import read_bytes, read_text
from genlab.runs.state import checkpoints_of, images_in_name

log = logging.getLogger(__name__)

_HASH = 1000  # bytes of a file that holds a hash


class LoadedCheckpoint(NamedTuple):
    """A checkpoint in memory, its tensors on the CPU."""

    path: Path
    state: dict[str, Any]


def checkpoint_name(images_seen: int) -> str:
    """The file name of a checkpoint; names sort by images seen."""
    return f"images-{images_seen:012d}.ckpt"


def read_checkpoint(path: Path, map_location: Any = None) -> dict[str, Any]:
    """Read a checkpoint after verifying its hash, without running code from it.

    Raises CheckpointError for a file that is missing, damaged or not a checkpoint.
    """
    content = read_bytes(path, CheckpointError, limit=None)
    expected = read_text(hash_file(path), CheckpointError, limit=_HASH).strip()
    if hashlib.sha256(content).hexdigest() != expected:
        raise CheckpointError(f"{path} is damaged: its content does not match its sha256")
    try:
        _refuse_compressed(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid files are reported below
            state = torch.load(io.BytesIO(content), map_location=map_location, weights_only=True)
    # Files that are not checkpoints raise nearly any exception.
    except Exception as error:
        raise CheckpointError(f"{path}: not a checkpoint that is safe to load") from error
    if not isinstance(state, dict) or "images_seen" not in state:
        raise CheckpointError(f"{path}: not a checkpoint of a run")
    return migrated_state(state)


def _refuse_compressed(content: bytes) -> None:
    """Raise ValueError for a compressed archive, a possible bomb: torch does not compress."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > len(content):
            raise ValueError("compressed")


def newest_valid(folder: Path) -> LoadedCheckpoint | None:
    """The newest checkpoint in `folder` that can be loaded; damaged ones are logged."""
    for path in checkpoints_of(folder):
        try:
            return LoadedCheckpoint(path, read_checkpoint(path, "cpu"))
        except CheckpointError as error:
            log.warning("%s; trying the one before", error)
    return None


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, and hashes without a checkpoint."""
    for path in checkpoints_of(folder)[keep:]:
        path.unlink(missing_ok=True)
    for file in folder.glob("images-*.sha256"):
        if not file.with_suffix(".ckpt").exists():
            file.unlink(missing_ok=True)


def set_aside(folder: Path, images_seen: int) -> None:
    """Rename checkpoints newer than the one that a run continues from: they cannot be loaded.

    Otherwise `prune` would keep them as the newest ones and remove intact ones.
    """
    for path in checkpoints_of(folder):
        if images_in_name(path) > images_seen:
            path.replace(path.with_suffix(".damaged"))


def with_room(folder: Path, write: Callable[[], object]) -> None:
    """Write; if the disk is full, remove all checkpoints in `folder` but the newest, and retry."""
    try:
        write()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        log.warning("%s: the disk is full; keeping one checkpoint and trying again", folder)
        prune(folder, keep=1)
        write()


def hash_file(path: Path) -> Path:
    """The file of a checkpoint's hash."""
    return path.with_suffix(".sha256")
