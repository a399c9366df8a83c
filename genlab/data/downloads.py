"""Where well-known sets lie on this machine, and how they get there."""

import contextlib
import http.client
import importlib
import io
import os
import socket
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from genlab.data.cache import cache_folder
from genlab.errors import DataError
from genlab.io.reading import one_line

TIMEOUT_SECONDS = 15
_FAILURES = (
    OSError,
    RuntimeError,
    ImportError,
    ValueError,
    LookupError,
    EOFError,
    http.client.HTTPException,
    zipfile.BadZipFile,
)


def data_folders() -> list[Path]:
    """GENLAB_DATA, if set, then the cache's downloads; the first one receives downloads."""
    named = os.environ.get("GENLAB_DATA")
    own = [Path(named).expanduser().absolute()] if named else []
    return [*own, cache_folder() / "downloads"]


def find(folders: Iterable[Path], names: Sequence[str]) -> list[Path] | None:
    """The named files, each plain or with .gz, of the first folder that has them all."""
    for folder in folders:
        pairs = [(folder / name, folder / f"{name}.gz") for name in names]
        found = [next((file for file in pair if file.is_file()), None) for pair in pairs]
        if all(found):
            return [file for file in found if file]
    return None


def load(name: str, root: Path, **arguments: Any) -> Any:
    """One of torchvision's data sets.

    Raises:
        DataError: the files in `root` are missing, damaged or not to be downloaded.
    """
    datasets = importlib.import_module("torchvision.datasets")
    try:
        with _impatient(), contextlib.redirect_stdout(io.StringIO()):
            return getattr(datasets, name)(root, **arguments)
    except _FAILURES as error:
        reason = one_line(error)
        raise DataError(f"{name} cannot be loaded from {root}: {reason}") from error


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a silent server; torchvision itself would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
