"""Files of labels: CSV, JSON, JSON lines, Parquet."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genlab.data.containers.sidecars import listed
from genlab.data.containers.tables import arrow, as_column, label_columns
from genlab.data.labels.columns import Column
from genlab.errors import ConfigError, DataError
from genlab.io.reading import MIB, one_line, read_text, require_regular
from genlab.words import readable

LARGEST = 1024 * MIB
PATHS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path"),
    *("image_id", "img", "name", "id"),
)
"""Columns of these names, in any case, hold the paths of images."""
_MOST_COLUMNS = 2000
_DELIMITERS = ",;\t"


class Rows(NamedTuple):
    """Labels as a file has them.

    Attributes:
        paths: of the image that each row is about.
        columns: the other columns.
    """

    paths: list[str]
    columns: list[Column]


def read(path: Path) -> Rows:
    """The rows of a file of labels, by its suffix.

    - .csv, .tsv, .txt: a first line of names; commas, semicolons or tabs.
    - .jsonl, .ndjson: a mapping on each line.
    - .json: StyleGAN's {"labels": [[path, class], ...]}, a list of mappings, or a mapping from
      paths to classes or to mappings.
    - .parquet, .pq: columns of text, numbers and truths.

    The path is in a column of one of the `PATHS`, or in the first one.

    Raises:
        ConfigError: another suffix.
        DataError: it cannot be read.
    """
    kind = path.suffix.lower()
    name = f"data.labels={readable(path)}"
    if kind not in _READERS:
        raise ConfigError(f"{name} must be a file of {', '.join(_READERS)}")
    try:
        require_regular(path, DataError, follow=True)
        return _READERS[kind](path)
    except (DataError, OSError, ValueError, RecursionError, csv.Error, RuntimeError) as error:
        raise DataError(f"{name} cannot be read: {one_line(error)}") from error


def _read_csv(path: Path) -> Rows:
    text = read_text(path, DataError, LARGEST, follow=True).removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = [name.strip() for name in next(lines, [])]
    if len(set(names)) < len(names) or len(names) > _MOST_COLUMNS:
        raise ValueError(f"its first line must be at most {_MOST_COLUMNS} different names")
    rows = []
    for row in lines:
        if row and len(row) != len(names):
            raise ValueError(f"line {lines.line_num} has {len(row)} values, not {len(names)}")
        if row:
            rows.append(row)
    values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    return _rows(dict(zip(names, values, strict=True)))


def _read_lines(path: Path) -> Rows:
    text = read_text(path, DataError, LARGEST, follow=True)
    return _from_mappings([json.loads(line) for line in text.splitlines() if line.strip()])


def _read_json(path: Path) -> Rows:
    text = read_text(path, DataError, LARGEST, follow=True)
    content = json.loads(text)
    if isinstance(content, list):
        return _from_mappings(content)
    if isinstance(content, dict) and isinstance(content.get("labels", 0), list | None):
        pairs = listed(text)
        return Rows(list(pairs), [Column("label", list(pairs.values()))])
    if not isinstance(content, dict):
        raise ValueError("it is neither a mapping nor a list")
    if all(isinstance(value, dict) for value in content.values()):
        return _from_mappings([{**value, PATHS[0]: key} for key, value in content.items()])
    return Rows(list(content), [Column("label", [_scalar(value) for value in content.values()])])


def _read_parquet(path: Path) -> Rows:
    with arrow().ParquetFile(path) as table:
        schema = table.schema_arrow
        names = label_columns(schema, "")
        read = table.read(names, use_threads=False)
    rows = _rows({name: read.column(name).to_pylist() for name in names})
    columns = [as_column(schema, column.name, column.values) for column in rows.columns]
    return Rows(rows.paths, columns)


_READERS: dict[str, Callable[[Path], Rows]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), _read_csv),
    **dict.fromkeys((".jsonl", ".ndjson"), _read_lines),
    ".json": _read_json,
    **dict.fromkeys((".parquet", ".pq"), _read_parquet),
}


def _from_mappings(rows: Sequence[Any]) -> Rows:
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a row is no mapping")
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) > _MOST_COLUMNS:
        raise ValueError(f"more than {_MOST_COLUMNS} names")
    return _rows({name: [_scalar(row.get(name)) for row in rows] for name in names})


def _rows(columns: Mapping[str, list[Any]]) -> Rows:
    """Values by column name as paths and labels."""
    if not columns:
        raise ValueError("it has no columns")
    lower = {name.lower(): name for name in reversed(list(columns))}
    chosen = next((lower[name] for name in PATHS if name in lower), next(iter(columns)))
    paths = ["" if value is None else str(value) for value in columns[chosen]]
    others = [Column(name, values) for name, values in columns.items() if name != chosen]
    if not others:
        raise ValueError("it has no column beside that of the paths")
    return Rows(paths, others)


def _scalar(value: Any) -> Any:
    """A value of JSON; None for containers."""
    return value if isinstance(value, str | int | float | bool) else None
