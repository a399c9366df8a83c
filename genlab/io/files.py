"""Files that are whole or not there at all."""

import csv
import io
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

PART = ".part"
# Of a path in a run folder, which may be a stranger's: no link is followed, no pipe waited for.
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_atomically(
    path: Path, write: Callable[[IO[bytes]], object], durable: bool = True
) -> None:
    """Write through `write(file)` beside `path`, then rename over `path`.

    A durable write reaches the disk before the rename and outlives a power cut; any write
    outlives a killed process. Processes that write the same file at once do not meet.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        with part.open("wb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None and error.errno:
            error.filename = str(path)  # a full disk is told without
        raise
    if durable:
        _sync_folder(path.parent)


def open_plain(path: Path, mode: str) -> IO[str]:
    """A text file to write to that is no link and no pipe; OSError where it is one."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | NO_LINK, 0o666)

    return open(path, mode, encoding="utf-8", opener=opener)


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Write a small UTF-8 text file atomically; bytes of names that are no UTF-8 are escaped."""
    content = text.encode(errors="backslashreplace")
    write_atomically(path, lambda file: file.write(content), durable)


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as comma-separated values atomically, None as an empty cell."""
    write_text(path, csv_text(rows))


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as comma-separated values, None as an empty cell.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def may_write(folder: Path) -> bool:
    """Whether this process may put files into the folder."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
