"""Checks whether a run's images are those that it was started with."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlab.config.paths import source_paths
from genlab.data.module import ImageData
from genlab.errors import CheckpointError, DataError
from genlab.runs.run_folder import RunFolder

log = logging.getLogger(__name__)

_SETTINGS = ("resolution", "channels", "version", "source")
"""Parts of a fingerprint that depend on the config and the code, not on the images."""


def contents(data: ImageData) -> dict[str, Any]:
    """What identifies the images: names, sizes and times of files, without decoding them."""
    found: dict[str, Any] = {
        key: value for key, value in data.source.fingerprint().items() if key not in _SETTINGS
    }
    if data.batches.extra is not None:
        try:
            status = Path(data.batches.extra).stat()
        except OSError as error:
            raise DataError(
                f"data.extra={data.batches.extra}: cannot be read ({error.strerror})"
            ) from error
        found["extra"] = [status.st_size, status.st_mtime_ns]
    return found


def changed(folder: RunFolder, data: ImageData) -> str | None:
    """A message if the images are not those that the run was started with, else None.

    Older runs without contents are not checked.
    """
    stored = folder.data().get("contents")
    if isinstance(stored, dict) and data.batches.extra is None:
        stored = {key: value for key, value in stored.items() if key != "extra"}
    if stored is None or _plain(stored) == _plain(contents(data)):
        return None
    places = ", ".join(source_paths(folder.config())) or "the data"
    return f"{places}: the images are not those that {folder.path} was started with"


def refuse_others(folder: RunFolder, data: ImageData, allow: bool) -> None:
    """Raise CheckpointError for images that have changed since the run was started."""
    change = changed(folder, data)
    if change and not allow:
        raise CheckpointError(f"{change}: restore them, or add allow_changes=true to use these")
    if change:
        log.warning("%s; continuing with these", change)


def _plain(node: Any) -> Any:
    """Containers as JSON gives them back."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node
