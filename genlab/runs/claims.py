"""Ownership of folders: runs and sweeps use empty folders or their own, and remove only their own.

A marker file shows that a folder belongs to a run or a sweep. Older folders without it are
recognised by their files.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import genlab
from genlab.errors import ConfigError, ResourceError
from genlab.io.files import write_text

MARKER = ".genlab"
LOCK = ".lock"
_BEFORE = {LOCK, MARKER, ".hydra", "train.log"}  # may exist before a run claims a folder

_PART = re.compile(r".*\.[0-9a-f]{8}\.part")
_existing: set[Path] = set()  # folders that existed before the command created any


def claim(path: Path, setting: str, own: Sequence[str] = (), beside: str = "") -> None:
    """Mark the folder as genlab's; ConfigError if it contains other files.

    Args:
        path: the folder, which need not exist.
        setting: the name of the setting that chose it.
        own: names of files that an older folder of this type has.
        beside: names that may exist already, as a regular expression.
    """
    found = _names(path) - set(_half_markers(path))
    foreign = sorted(name for name in found - _BEFORE if not re.fullmatch(beside, name))
    foreign += [n for n in (LOCK,) if n in found and _size(path / n)]
    if foreign and not is_claimed(path) and not (own and found >= set(own)):
        raise ConfigError(
            f"{setting}={path} contains files that are not a run's ({foreign[0]}): choose an empty "
            "folder or a new one"
        )
    if MARKER in found:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_text(path / MARKER, f"genlab {genlab.__version__}\n", durable=False)
    except OSError as error:
        raise ResourceError(
            f"{path}: the run folder cannot be written ({error.strerror}); "
            f"choose another with {setting}=PATH"
        ) from error


def is_claimed(path: Path) -> bool:
    """Whether the folder has the marker."""
    marker = path / MARKER
    return marker.is_file() and not marker.is_symlink()


def note_existing_folders(path: Path) -> None:
    """Remember the folder, or its first existing parent: it is never removed."""
    while not path.exists() and path != path.parent:
        path = path.parent
    _existing.add(path.resolve())


def is_unused(path: Path) -> bool:
    """Whether the folder contains only the lock and the marker."""
    ours = {LOCK, MARKER, *_half_markers(path)}
    return path.is_dir() and _names(path) <= ours and not _size(path / LOCK)


def remove_if_unused(path: Path) -> None:
    """Remove the folder of a run that never started, and parents that were created for it."""
    if not is_unused(path):
        return
    for name in (LOCK, MARKER, *_half_markers(path)):
        (path / name).unlink(missing_ok=True)
    for folder in (path, *path.parents) if _existing else (path,):
        if folder.resolve() in _existing or folder == Path.cwd():
            return
        try:
            folder.rmdir()
        except OSError:  # it is not empty
            return


_PLACES = ("", "checkpoints", "samples", "reconstructions", "translations", "generated")


def remove_parts(path: Path) -> None:
    """Remove partly written files of killed processes from the known places of a run folder."""
    for place in _PLACES:
        folder = path / place
        if folder.is_dir() and not folder.is_symlink():
            for part in folder.iterdir():
                if _PART.fullmatch(part.name) and not part.is_dir():
                    part.unlink(missing_ok=True)


def _half_markers(path: Path) -> list[str]:
    """Names of partly written markers, of processes that were killed."""
    return [n for n in _names(path) if n.startswith(MARKER) and _PART.fullmatch(n)]


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:
        return 0


def _names(path: Path) -> set[str]:
    try:
        return set(os.listdir(path))
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise ResourceError(f"{path}: the run folder cannot be read ({error.strerror})") from error
