"""Checks of paths in settings, before the imports that take seconds."""

import glob
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from genlab.errors import ConfigError, DataError, ResourceError
from genlab.io.files import may_write
from genlab.runs import finding
from genlab.settings.fields import Settings

_OF_IMAGES = ("image", "mask")
S = TypeVar("S", bound=Settings)


def checked(settings: S) -> S:
    """The settings with their run as a path; raises errors of the run, images and `out`."""
    given: dict[str, Any] = vars(settings)
    if given.get("out") is not None:
        check_place(str(given["out"]))
    for key in _OF_IMAGES:
        for name in several(given[key]) if given.get(key) else ():
            if not Path(name).exists() and not matches(name):
                raise no_such_file(name, key)
    if "run" not in given:
        return settings
    found: dict[str, Any] = {"run": finding.find_run(given["run"]).run_argument}
    return replace(settings, **found)


def several(pattern: object) -> list[str]:
    """The names, with `~` expanded."""
    given = pattern if isinstance(pattern, list | tuple) else [pattern]
    return [os.path.expanduser(str(name)) for name in given]


def matches(pattern: str) -> list[Path]:
    """The files that a glob pattern names."""
    return [path for match in glob.glob(pattern, recursive=True) if (path := Path(match)).is_file()]


def no_such_file(name: str, key: str) -> DataError:
    """The error for a name, the value of the setting `key`, that matches no file or folder."""
    return DataError(
        f'{key}={name}: no such file; name a file, a folder, or a pattern like "*.png"'
    )


def names_file(path: Path) -> bool:
    """Whether the path has a file's suffix; a dot before a number is part of a folder's name."""
    return path.suffix[1:2].isalpha() and not path.is_dir()


def check_place(out: str) -> None:
    """Raise ConfigError for an empty `out`, ResourceError if nothing can be written there."""
    if not out:
        raise ConfigError("out= is empty: name a file or a folder, or leave it out")
    path = Path(out).expanduser()
    folder = path.parent if names_file(path) else path
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise ResourceError(f"out={out}: {there} is a file, not a folder; choose another one")
    if not may_write(there):
        raise ResourceError(f"out={out}: {there} cannot be written to; choose another folder")
