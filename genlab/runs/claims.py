"""Whose folder it is: runs and sweeps take empty folders or their own, and remove only their own.

A marker says that a folder is a run's or a sweep's. Those from before the marker are known by
their files.
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
_BEFORE = {LOCK, MARKER, ".hydra", "train.log"}  # what may be there before a run takes a folder

_PART = re.compile(r".*\.[0-9a-f]{8}\.part")
_standing: set[Path] = set()  # folders that were there before the command made any


def claim(path: Path, setting: str, own: Sequence[str] = (), beside: str = "") -> None:
    """Mark the folder as this project's; ConfigError where it holds files of somebody else.

    Args:
        path: the folder, there or not.
        setting: the name of the setting that chose it.
        own: names of files that tell an older folder of this kind, all of which it has.
        beside: names that may be there before, as a regular expression.
    """
    found = _names(path) - set(_half_markers(path))
    foreign = sorted(name for name in found - _BEFORE if not re.fullmatch(beside, name))
    foreign += [n for n in (LOCK,) if n in found and _size(path / n)]
    if foreign and not is_claimed(path) and not (own and found >= set(own)):
        raise ConfigError(
            f"{setting}={path} holds files that are not a run's ({foreign[0]}): choose an empty "
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


def note_standing(path: Path) -> None:
    """Remember that the folder, or the first one above it that is there, stays in any case."""
    while not path.exists() and path != path.parent:
        path = path.parent
    _standing.add(path.resolve())


def is_unused(path: Path) -> bool:
    """Whether nothing but the lock and the marker is in the folder."""
    ours = {LOCK, MARKER, *_half_markers(path)}
    return path.is_dir() and _names(path) <= ours and not _size(path / LOCK)


def remove_if_unused(path: Path) -> None:
    """Remove a folder that was made for a run that never started, and those made around it."""
    if not is_unused(path):
        return
    for name in (LOCK, MARKER, *_half_markers(path)):
        (path / name).unlink(missing_ok=True)
    for folder in (path, *path.parents) if _standing else (path,):
        if folder.resolve() in _standing or folder == Path.cwd():
            return
        try:
            folder.rmdir()
        except OSError:  # it is not empty
            return


_PLACES = ("", "checkpoints", "samples", "reconstructions", "translations", "generated")


def remove_parts(path: Path) -> None:
    """Remove what a killed process left half-written in the known places of a run folder."""
    for place in _PLACES:
        folder = path / place
        if folder.is_dir() and not folder.is_symlink():
            for part in folder.iterdir():
                if _PART.fullmatch(part.name) and not part.is_dir():
                    part.unlink(missing_ok=True)


def _half_markers(path: Path) -> list[str]:
    """Names of what processes left that were killed while they wrote the marker."""
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
