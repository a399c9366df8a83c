"""Files that others wrote: read with a bound, checked, and never run.

Every function raises the given error (`CheckpointError` for what belongs to a run, `DataError` for
what belongs to data) in one line that names the file. Links, pipes and devices are refused:
opening them may hang, grow without end or lead out of a stranger's folder.
"""

import csv
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from genlab.errors import GenlabError

MIB = 2**20
TEXT = 16 * MIB  # of configs, summaries, tables
DEPTH = 50  # of nested containers

Error = type[GenlabError]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def require_regular(path: Path, error: Error) -> os.stat_result:
    """The status of a regular file; `error` for anything else, links included."""
    try:
        status = path.lstat()
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror})") from problem
    if not stat.S_ISREG(status.st_mode):
        kind = "a link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
        raise error(f"{path} is {kind}: put the file itself there")
    return status


def read_bytes(path: Path, error: Error, limit: int = TEXT) -> bytes:
    """The content of a regular file of at most `limit` bytes."""
    require_regular(path, error)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(limit + 1)
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror})") from problem
    if len(content) > limit:
        raise error(f"{path} has more than {limit / MIB:.0f} MiB, which no such file needs")
    return content


def read_text(path: Path, error: Error, limit: int = TEXT) -> str:
    """The content of a UTF-8 text file."""
    try:
        return read_bytes(path, error, limit).decode()
    except UnicodeDecodeError as problem:
        raise error(f"{path}: not UTF-8 text ({problem.reason})") from problem


def read_json(path: Path, error: Error, limit: int = TEXT) -> Any:
    """The content of a JSON file as plain containers; NaN and infinities are numbers of it."""
    return _parsed(path, error, json.loads, read_text(path, error, limit), "JSON")


def read_yaml(path: Path, error: Error, limit: int = MIB) -> Any:
    """The content of a YAML file as plain containers, without tags, aliases or interpolations."""
    text = read_text(path, error, limit)
    content = _parsed(path, error, _plain_yaml, text, "YAML")
    if place := _interpolated(content):
        raise error(f"{path}: {place} holds an interpolation (${{...}}): write its value")
    return content


def read_csv(path: Path, error: Error, limit: int = TEXT) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its first line, each of the same length."""

    def rows(text: str) -> list[dict[str, str]]:
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        found = list(table)
        if any(None in row or None in row.values() for row in found):
            raise ValueError("rows differ in length")
        return found

    return _parsed(path, error, rows, read_text(path, error, limit), "CSV")


def _parsed(path: Path, error: Error, parse: Callable[[str], Any], text: str, kind: str) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError, yaml.YAMLError, csv.Error) as problem:
        reason = " ".join(str(problem).split())[:120]
        raise error(f"{path}: not readable as {kind} ({reason})") from problem


def _plain_yaml(text: str) -> Any:
    """Nested containers of YAML's plain types; an alias could stand for a billion values."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are refused")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise yaml.YAMLError(f"nested more than {DEPTH} deep")
    return yaml.load(text, _Loader)


def _interpolated(node: Any, place: str = "") -> str | None:
    """Where a string of nested containers holds an interpolation, None for nowhere."""
    if isinstance(node, str):
        return place or "it" if "${" in node else None
    items: Any = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    for key, value in items:
        if found := _interpolated(value, f"{place}.{key}" if place else str(key)):
            return found
    return None
