"""Files that others wrote: read with a bound, checked, and never run.

Every function raises the given error (`CheckpointError` for what belongs to a run, `DataError` for
what belongs to data) in one line that names the file. Links, pipes and devices are refused:
opening them may hang, grow without end or lead out of a stranger's folder. A user's own data may
lie behind links (`follow`), but not behind pipes.
"""

import csv
import io
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from genlab.errors import GenlabError
from genlab.io.files import NO_LINK
from genlab.io.schemas import Schema, misfit

MIB = 2**20
TEXT = 16 * MIB  # of configs, summaries, tables
DEPTH = 50  # of nested containers
ENTRIES = 1_000_000  # of a run folder: samples may be written as single files
EVENTS = 20_000  # of YAML: scalars, and starts and ends of containers
SCALAR = 10_000  # characters of one that YAML tries to read as a number
COLUMNS = 2_000  # of a table
CELLS = 5_000_000
ROWS = 500_000
_UNREADABLE = (ValueError, ArithmeticError, RecursionError, MemoryError)
_UNKNOWN_MEMORY = 64 * 2**30

Error = type[GenlabError]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def require_regular(path: Path, error: Error, follow: bool = False) -> os.stat_result:
    """The status of a regular file; `error` for anything else, links included."""
    try:
        status = path.stat() if follow else path.lstat()
    except (OSError, ValueError) as problem:
        raise error(f"{path}: cannot be read ({one_line(problem)})") from problem
    if not stat.S_ISREG(status.st_mode):
        kind = "a link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
        raise error(f"{path} is {kind}: put the file itself there")
    return status


def require_plain_folder(
    folder: Path, error: Error, most: int = ENTRIES, launchers: str = ""
) -> None:
    """Raise `error` where a link, a pipe, a device or a socket lies anywhere below `folder`.

    The folder itself may be reached through a link. Names alone are read, so that the walk takes
    about a microsecond for each of at most `most` entries. What another process removes meanwhile
    is passed over. In `launchers`, a folder below it, links may lead to files of that folder.
    """
    inner = os.path.join(os.path.realpath(folder), launchers, "") if launchers else ""
    entries, waiting = 0, [os.fspath(folder)]
    try:
        while waiting:
            for entry in _entries(waiting.pop(), gone=entries > 0):
                entries += 1
                if entries > most:
                    raise error(f"{folder} has more than {most:,} files, which no run writes")
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.is_file(follow_symlinks=False) and os.path.lexists(entry.path):
                    if inner and _both_within(entry.path, inner):
                        continue
                    kind = "a link" if entry.is_symlink() else "a pipe, device or socket"
                    raise error(f"{entry.path} is {kind}, which no run writes: remove it")
    except OSError as problem:
        raise error(f"{folder}: cannot be read ({one_line(problem)})") from problem


def _both_within(link: str, folder: str) -> bool:
    """Whether a link, and the regular file that it leads to, lie in a folder without links."""
    place, target = os.path.realpath(os.path.dirname(link)), os.path.realpath(link)
    return f"{place}/".startswith(folder) and target.startswith(folder) and os.path.isfile(target)


def _entries(folder: str, gone: bool) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder; nothing where it is not there and may be `gone`."""
    try:
        found = os.scandir(folder)
    except FileNotFoundError:
        if gone:
            return
        raise
    with found:
        yield from found


def read_bytes(path: Path, error: Error, limit: int | None = TEXT, follow: bool = False) -> bytes:
    """The content of a regular file of at most `limit` bytes, None for the free memory."""
    size = require_regular(path, error, follow).st_size
    most = free_memory() if limit is None else limit
    if size > most:
        told = "which no such file needs" if limit else "the memory that is free"
        raise error(f"{path} has more than {most / MIB:,.0f} MiB, {told}")
    try:
        descriptor = os.open(path, os.O_RDONLY | (0 if follow else NO_LINK))
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(size + 1)
    except (OSError, MemoryError) as problem:
        raise error(f"{path}: cannot be read ({one_line(problem)})") from problem
    if len(content) > size:
        raise error(f"{path} grew while it was read: try again")
    return content


def free_memory() -> int:
    """Bytes of memory that are free, as far as the system says so."""
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return _UNKNOWN_MEMORY


def read_text(path: Path, error: Error, limit: int = TEXT, follow: bool = False) -> str:
    """The content of a UTF-8 text file."""
    try:
        return read_bytes(path, error, limit, follow).decode()
    except UnicodeDecodeError as problem:
        raise error(f"{path}: not UTF-8 text ({problem.reason})") from problem


def read_json(path: Path, error: Error, schema: Schema = None, limit: int = TEXT) -> Any:
    """The content of a JSON file as plain containers; NaN and infinities are numbers of it."""
    return parse_json(path, error, read_text(path, error, limit), schema)


def parse_json(path: Path, error: Error, text: str, schema: Schema = None) -> Any:
    """What a JSON text that was found in the file says."""
    return require(path, error, _parsed(path, error, _json, text, "JSON"), schema)


def require(path: Path, error: Error, content: Any, schema: Schema) -> Any:
    """The content of a file, if it is what the schema says; see `schemas.misfit`."""
    if schema is not None and (problem := misfit(content, schema)):
        raise error(f"{path}: {problem}")
    return content


def read_yaml(path: Path, error: Error, limit: int = MIB, may_interpolate: bool = False) -> Any:
    """The content of a YAML file as plain containers, without tags, aliases or interpolations."""
    text = read_text(path, error, limit)
    content = _parsed(path, error, _plain_yaml, text, "YAML")
    if not may_interpolate and (place := interpolated(content)):
        raise error(f"{path}: {place} holds an interpolation (${{...}}): write its value")
    return content


def read_csv(
    path: Path, error: Error, limit: int = 4 * TEXT, torn: bool = False
) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its first line, each one line of the same length.

    At most `COLUMNS`, `ROWS` and `CELLS`. Of a file that grows, and may be `torn`, without a last
    line that does not end.
    """

    def rows(text: str) -> list[dict[str, str]]:
        text = text[: text.rfind("\n") + 1] if torn else text
        if not text.endswith("\n"):
            raise ValueError("its last line is cut")
        lines = filter(None, map(_cells, io.StringIO(text, newline="")))
        names = next(lines, [])
        if len(set(names)) < len(names):
            raise ValueError("two columns have one name")
        found = []
        for row in lines:
            if len(row) != len(names):
                raise ValueError("rows differ in length")
            found.append(dict(zip(names, row, strict=True)))
            if len(found) > ROWS or len(found) * len(names) > CELLS:
                raise ValueError(f"more than {ROWS:,} rows or {CELLS:,} cells")
        return found

    result: list[dict[str, str]] = _parsed(path, error, rows, read_text(path, error, limit), "CSV")
    return result


def _cells(line: str) -> list[str]:
    """The cells of a line of CSV, by itself; ValueError before too many of them are made."""
    if line.count(",") >= COLUMNS:
        raise ValueError(f"more than {COLUMNS:,} columns")
    return next(csv.reader([line], strict=True))


def _parsed(path: Path, error: Error, parse: Callable[[str], Any], text: str, kind: str) -> Any:
    try:
        return parse(text)
    except (*_UNREADABLE, yaml.YAMLError, csv.Error) as problem:
        raise error(f"{path}: not readable as {kind} ({one_line(problem)})") from problem


def one_line(problem: BaseException) -> str:
    """What an exception says, on one line that tells little of a stranger's file."""
    told = problem.strerror if isinstance(problem, OSError) else None
    return " ".join((told or str(problem) or type(problem).__name__).split())[:120]


def _json(text: str) -> Any:
    """Nested containers that are not so deep that walking them would fail."""
    content = json.loads(text)
    level = [content]
    for _ in range(DEPTH):
        level = [
            value
            for node in level
            if isinstance(node, dict | list)
            for value in (node.values() if isinstance(node, dict) else node)
        ]
    if level:
        raise ValueError(f"nested more than {DEPTH} deep")
    return content


def _plain_yaml(text: str) -> Any:
    """Nested containers of YAML's plain types; an alias could stand for a billion values."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, _Loader)):
        if number > EVENTS:
            raise yaml.YAMLError(f"more than {EVENTS:,} values")
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and len(event.value) > SCALAR:
            raise yaml.YAMLError(f"a value of more than {SCALAR:,} characters")
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are refused")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise yaml.YAMLError(f"nested more than {DEPTH} deep")
    return yaml.load(text, _Loader)


def interpolated(node: Any, place: str = "") -> str | None:
    """Where a string of nested containers holds an interpolation, None for nowhere."""
    if isinstance(node, str):
        return place or "it" if "${" in node else None
    items: Any = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    for key, value in items:
        if found := interpolated(value, f"{place}.{key}" if place else str(key)):
            return found
    return None
