"""A table in a file that rows are appended to."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from genlab.io.files import NO_LINK, csv_text, write_text

Row = Mapping[str, str]


class GrowingTable:
    """A CSV file of rows by column name, with columns in the order of their first values.

    A new row, or new values of the last row, are a single write at the end of the file, so that a
    killed process leaves whole rows. With a new column, or if the file was changed by others, the
    whole file is rewritten atomically.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: list[str] = []
        self._rows = 0  # in the file
        self._last = b""  # the last row, as written
        self._end = -1  # size of the file in bytes; -1 if unknown

    def write(self, rows: Sequence[Row]) -> None:
        """Update the file to these rows; rows before the last must not have changed."""
        if not rows or any(name not in self._names for name in rows[-1]):
            self._write_all(rows)
            return
        line = csv_text([[rows[-1].get(name, "") for name in self._names]]).encode()
        added = len(rows) - self._rows
        start = self._end - (0 if added else len(self._last))
        if added not in (0, 1) or start + len(line) < self._end or not self._written(line, start):
            self._write_all(rows)
            return
        self._rows, self._last, self._end = len(rows), line, start + len(line)

    def _written(self, line: bytes, start: int) -> bool:
        """Write at a position of the file; if that fails, restore the file and return false."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | NO_LINK)
        except OSError:
            return False
        try:
            if os.fstat(descriptor).st_size != self._end:
                return False
            try:
                if os.pwrite(descriptor, line, start) == len(line):
                    return True
            except OSError:
                pass
            os.pwrite(descriptor, self._last, self._end - len(self._last))  # needs no more space
            os.truncate(descriptor, self._end)
            return False
        finally:
            os.close(descriptor)

    def _write_all(self, rows: Sequence[Row]) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = [[row.get(name, "") for name in names] for row in rows]
        text = csv_text([names, *table])
        write_text(self.path, text, durable=False)
        self._names, self._rows, self._end = names, len(rows), len(text.encode())
        self._last = csv_text(table[-1:]).encode()
