"""Whether a run's images are those that it was started with."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlab.config.paths import source_paths
from genlab.data.module import ImageData
from genlab.errors import CheckpointError, DataError
from genlab.runs.folder import RunFolder

log = logging.getLogger(__name__)

_SETTINGS = ("resolution", "channels", "version", "source")
"""Parts of a fingerprint that tell how images are read, which the config and the code say."""


def contents(data: ImageData) -> dict[str, Any]:
    """What tells the images from others: stamps of names, sizes and times, nothing is decoded."""
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
    """One line on images that are others than the run was started with; None where they are not.

    Runs from before contents were kept are taken as they are.
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
    told = changed(folder, data)
    if told and not allow:
        raise CheckpointError(f"{told}: put them back, or add allow_changes=true to train on these")
    if told:
        log.warning("%s; going on with these", told)


def _plain(node: Any) -> Any:
    """Containers as JSON gives them back."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node
