"""Paths in the data of a run's config."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from genlab.config.run import RunConfig
from genlab.data.containers.hub import PREFIX


def absolute(config: RunConfig) -> RunConfig:
    """The config with the paths of its data as they are from the root."""
    data = config.data
    moved = {path: os.path.abspath(Path(path).expanduser()) for path in _paths(data.source)}
    changed: dict[str, Any] = {"source": _moved(data.source, moved)}
    for key in ("path", "first", "second", "labels"):
        if isinstance(data.plain.get(key), str):
            changed[key] = moved.get(data.plain[key], data.plain[key])
    if data.extra is not None:
        changed["extra"] = os.path.abspath(Path(data.extra).expanduser())
    return config.replaced(data=changed)


def relative(config: RunConfig) -> list[str]:
    """The paths of the data that depend on the folder in which a command is run."""
    paths = [*_paths(config.data.source), *filter(None, [config.data.extra])]
    return [path for path in paths if not Path(path).expanduser().is_absolute()]


def source_paths(config: RunConfig) -> list[str]:
    """The paths of the source."""
    return list(_paths(config.data.source))


def _paths(node: Any) -> Iterator[str]:
    """Every `path` of a source and of those within it; sets on the hub lie nowhere."""
    if isinstance(node, dict):
        path = node.get("path")
        if isinstance(path, str) and not path.startswith(PREFIX):
            yield path
        for value in node.values():
            yield from _paths(value)


def _moved(node: Any, moved: Mapping[str, str]) -> Any:
    """A source with its paths, and those of sources within it, moved."""
    if not isinstance(node, dict):
        return node
    return {
        key: moved.get(value, value)
        if key == "path" and isinstance(value, str)
        else _moved(value, moved)
        for key, value in node.items()
    }
