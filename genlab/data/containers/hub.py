"""Images of a data set on Hugging Face's hub, through the package datasets."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from genlab.data.containers.container import Container, Limit
from genlab.data.containers.tables import as_column, image_column, label_columns
from genlab.data.image_files import BYTES_PER_PIXEL, Encoded, opened
from genlab.data.labels.columns import Column
from genlab.data.listing import PARTS
from genlab.errors import ConfigError, DataError, DataMissing
from genlab.io.reading import one_line
from genlab.words import installing, readable

if TYPE_CHECKING:
    from PIL.Image import Image

PREFIX = "hub:"
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?(@[\w./-]+)?")


class _Split(NamedTuple):
    """A part of the set: its name, and a Dataset of the package."""

    name: str
    rows: Any


class HubSet(Container):
    """The images of a set on the hub, which is fetched into the package's own cache.

    Splits train, validation and test are parts of one set; where there are none of these names,
    all splits are taken. No code of the set is run.

    Args:
        path: "hub:NAME", "hub:NAME@REVISION".
        column: that of the images; None to find it.
    """

    kind: ClassVar[str] = "Hub"
    has_columns: ClassVar[bool] = True

    def __init__(self, path: Path, column: str | None = None) -> None:
        super().__init__(path)
        self.column = column

    def __getstate__(self) -> dict[str, Any]:
        """Without the open set."""
        return {key: value for key, value in self.__dict__.items() if key != "_splits"}

    @cached_property
    def names(self) -> Sequence[str]:
        """The split, where there are several parts, and the row."""
        several = len(self._splits) > 1
        return [
            f"{split.name}/{row:08}" if several else f"{row:08}"
            for split in self._splits
            for row in range(split.rows.num_rows)
        ]

    @property
    def about(self) -> str:
        """The set's name."""
        return f"of the hub's {self._name}"

    def stamp(self) -> str:
        """Of the name, the revision and the splits' sizes."""
        told = [(split.name, split.rows.num_rows) for split in self._splits]
        content = json.dumps([str(self.path), self.column, told])
        return hashlib.sha256(content.encode()).hexdigest()

    def columns(self) -> Sequence[Column] | None:
        """The columns of text, numbers and truths; None where there are none."""
        names = label_columns(self._schema, self._image)
        return [
            as_column(
                self._schema, name, [value for _, rows in self._splits for value in rows[name]]
            )
            for name in names
        ] or None

    @contextmanager
    def opened(self, position: int, limit: Limit) -> Iterator[Image]:
        """The image of a row."""
        name, most = self.whereabouts(position), BYTES_PER_PIXEL * limit.max_pixels
        content = self._content(position)
        if len(content) > most:
            told = f"more bytes than {limit.key}={limit.max_pixels} allows"
            raise DataError(f"{name} cannot be used: {told}; {limit.fix}")
        with opened(Encoded(name, content), *limit) as image:
            yield image

    @property
    def _name(self) -> str:
        return readable(str(self.path).removeprefix(PREFIX))

    @cached_property
    def _splits(self) -> list[_Split]:
        try:
            import datasets
        except ImportError as error:
            raise ConfigError(
                f"data.path={self.path} needs the package datasets: {installing('hub')}"
            ) from error
        if not _NAME.fullmatch(self._name):
            raise ConfigError(f"data.path={self.path} must be hub:OWNER/NAME or with @REVISION")
        name, _, revision = self._name.partition("@")
        try:
            found = datasets.load_dataset(name, revision=revision or None)
        # The network, the hub and the files of strangers fail in any way.
        except Exception as error:
            raise DataMissing(
                f"data.path={self.path} cannot be fetched ({one_line(error)})",
                "look at the name and the network, or name Parquet files on this machine",
            ) from error
        splits = [_Split(str(split), rows) for split, rows in found.items()]
        known = [split for split in splits if split.name in PARTS]
        return known or splits

    @property
    def _schema(self) -> Any:
        return self._splits[0].rows.features.arrow_schema

    @property
    def _image(self) -> str:
        return image_column(self._schema, self.column, readable(self.path))

    def _content(self, position: int) -> bytes:
        for _, rows in self._splits:
            if position < rows.num_rows:
                row = rows.with_format("arrow")[position]
                value = row.column(self._image)[0].as_py()
                return self._bytes(value if isinstance(value, dict) else {"bytes": value})
            position -= rows.num_rows
        raise IndexError(position)

    def _bytes(self, value: dict[str, Any]) -> bytes:
        """The content of an image, which may lie in the package's cache."""
        content: bytes | None = value.get("bytes")
        path = value.get("path")
        if content is None and path and Path(path).is_file():
            return Path(path).read_bytes()
        return content or b""
