"""Images in Parquet files, as Hugging Face keeps them."""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from genlab.data.containers.container import Container, Limit
from genlab.data.containers.members import MIB
from genlab.data.containers.tables import arrow, as_column, image_column, label_columns
from genlab.data.image_files import BYTES_PER_PIXEL, Encoded, opened
from genlab.data.labels.columns import Column
from genlab.data.listing import PARTS, files_below
from genlab.data.source import stamp
from genlab.errors import DataError, DataMissing
from genlab.io.reading import free_memory, one_line
from genlab.words import base_name, readable

if TYPE_CHECKING:
    import pyarrow as pa
    from PIL.Image import Image

SUFFIXES = (".parquet", ".pq")
_PART = re.compile(rf"({'|'.join(PARTS)})(?![a-z])", re.IGNORECASE)
_MOST_GROUPS = 2  # in memory: where one ends the next one begins
_groups: OrderedDict[tuple[int, Path, int], Any] = OrderedDict()
_reading = threading.Lock()


class Parquets(Container):
    """The images of a Parquet file, or of all below a folder, in the order of files and rows.

    An image is the bytes of a file: of a binary column or of a struct {bytes, path}. All other
    columns of text, numbers and truths are labels. Files called train, val and test, or in folders
    of these names, are parts of one set.

    Args:
        path: a file or a folder.
        column: that of the images; None to find it.
    """

    kind: ClassVar[str] = "Parquet"
    has_columns: ClassVar[bool] = True

    def __init__(self, path: Path, column: str | None = None) -> None:
        super().__init__(path)
        self.column = column

    @cached_property
    def files(self) -> list[Path]:
        """The Parquet files."""
        path = readable(self.path)
        if not self.path.exists():
            raise DataMissing(f"data.path={path} does not exist", "name a Parquet file of images")
        if not self.path.is_dir():
            return [self.path]
        files = files_below(self.path, SUFFIXES)
        if not files:
            raise DataMissing(f"data.path={path} holds no Parquet files", "name their folder")
        return files

    @cached_property
    def names(self) -> Sequence[str]:
        """The path that comes with each image, else the file's name and the row."""
        parts = [self._part(file) for file in self.files]
        names = []
        for file, part in zip(self.files, parts, strict=True):
            prefix = f"{part}/" if part and len(set(parts)) > 1 else ""
            for row, path in enumerate(self._paths(file)):
                names.append(prefix + (path or f"{readable(file.stem)}-{row:08}"))
        if not names:
            raise DataMissing(f"data.path={readable(self.path)} has no rows", "name other files")
        return names

    @property
    def about(self) -> str:
        """The name of the file or the folder."""
        if len(self.files) > 1:
            return f"of {len(self.files):,} Parquet files in {base_name(self.path)}"
        return f"of the Parquet file {base_name(self.files[0])}"

    def stamp(self) -> str:
        """Of the files' names, sizes and times, and of the column."""
        root = self.path if self.path.is_dir() else self.path.parent
        return stamp(root, self.files) + (f":{self.column}" if self.column else "")

    def columns(self) -> Sequence[Column] | None:
        """The columns of labels; None where there are none."""
        names = label_columns(self._schema, self._image)
        values: dict[str, list[Any]] = {name: [] for name in names}
        for file in self.files:
            with _readable(file), arrow().ParquetFile(file) as table:
                for name in names:
                    column = table.read([name], use_threads=False).column(0)
                    values[name] += column.to_pylist()
        return [as_column(self._schema, name, values[name]) for name in names] or None

    @contextmanager
    def opened(self, position: int, limit: Limit) -> Iterator[Image]:
        """The image of a row, whose group of rows stays in memory for its neighbours."""
        name, most = self.whereabouts(position), BYTES_PER_PIXEL * limit.max_pixels
        content = self._content(position)
        if len(content) > most:
            allowed = f"the {most // MIB:,} MiB of {limit.key}={limit.max_pixels}"
            told = f"its {len(content) // MIB:,} MiB are more than {allowed}"
            raise DataError(f"{name} cannot be used: {told}; {limit.fix}")
        with opened(Encoded(name, content), *limit) as image:
            yield image

    def release(self) -> None:
        """Forget groups of rows."""
        with _reading:
            _groups.clear()

    def whereabouts(self, position: int) -> str:
        """The file, the row and its path."""
        file, _, _, row = self._place(position)
        return f"{readable(file)}: row {row:,} ({readable(self.names[position])})"

    @cached_property
    def _schema(self) -> pa.Schema:
        """The schema of the first file."""
        with _readable(self.files[0]), arrow().ParquetFile(self.files[0]) as table:
            return table.schema_arrow

    @cached_property
    def _image(self) -> str:
        return image_column(self._schema, self.column, readable(self.path))

    @cached_property
    def _index(self) -> tuple[list[tuple[Path, int]], np.ndarray]:
        """Each group of rows, and the position of its first row; the last entry is their end."""
        places, counts = [], [0]
        for file in self.files:
            with _readable(file), arrow().ParquetFile(file) as table:
                for group in range(table.num_row_groups):
                    places.append((file, group))
                    counts.append(table.metadata.row_group(group).num_rows)
        return places, np.cumsum(counts)

    def _place(self, position: int) -> tuple[Path, int, int, int]:
        """File, group, row in the group and row in the file of a position."""
        places, starts = self._index
        number = int(np.searchsorted(starts, position, side="right")) - 1
        file, group = places[number]
        first = int(starts[number - group])
        return file, group, position - int(starts[number]), position - first

    def _content(self, position: int) -> bytes:
        file, group, row, _ = self._place(position)
        value = _group(file, group, self._image)[row].as_py()
        content: bytes | None = value.get("bytes") if isinstance(value, dict) else value
        return content or b""

    def _paths(self, file: Path) -> list[str | None]:
        """The path of each row of a file."""
        kind = self._schema.field(self._image).type
        has_paths = "path" in [field.name for field in _fields(kind)]
        with _readable(file), arrow().ParquetFile(file) as table:
            if self._image not in table.schema_arrow.names:
                raise ValueError(f"it has no column {self._image}")
            if not has_paths:
                return [None] * table.metadata.num_rows
            column = table.read([f"{self._image}.path"], use_threads=False).column(0)
            return [_plain(row) for row in column.to_pylist()]

    def _part(self, file: Path) -> str | None:
        """The part of the set that a file or a folder around it is called after."""
        root = self.path if self.path.is_dir() else self.path.parent
        found = [_PART.match(name) for name in file.relative_to(root).parts]
        return next((match[1].lower() for match in found if match), None)


def _group(file: Path, group: int, column: str) -> Any:
    """A column of a group of rows; DataError where it cannot be read."""
    key = os.getpid(), file, group
    with _reading:
        if key not in _groups:
            with _readable(file), arrow().ParquetFile(file) as table:
                size = table.metadata.row_group(group).total_byte_size
                if size > free_memory():
                    raise ValueError(f"{size / 2**30:,.1f} GiB in one group of rows")
                read = table.read_row_group(group, columns=[column], use_threads=False)
            while len(_groups) >= _MOST_GROUPS:
                _groups.popitem(last=False)
            _groups[key] = read.column(0)
        _groups.move_to_end(key)
        return _groups[key]


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Raise DataError where reading fails."""
    try:
        yield
    # Arrow answers damaged files with many exceptions, not all of them its own.
    except (OSError, ValueError, KeyError, ArithmeticError, RuntimeError, MemoryError) as error:
        raise DataError(
            f"data.path={readable(file)}: not readable as Parquet of images ({one_line(error)}): "
            "fetch or make it again"
        ) from error


def _fields(kind: pa.DataType) -> list[Any]:
    """The fields of a struct, none of another type."""
    return list(kind) if getattr(kind, "num_fields", 0) else []


def _plain(row: dict[str, str | None] | None) -> str | None:
    """The path of a row without what is no name of a folder or a file."""
    path = (row or {}).get("path") or ""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or None
