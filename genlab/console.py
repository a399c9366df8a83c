"""The one terminal console, and the log handlers that write through it."""

import io
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from genlab.errors import Stopped
from genlab.io.files import open_plain
from genlab.io.secrets import hide
from genlab.words import counted, one_paragraph, printable

if TYPE_CHECKING:
    from rich.console import Console

MOST_COLUMNS = 50
_waiting: list[str] = []


@cache
def console() -> "Console":
    """The console that everything prints through, so that a progress bar is never torn."""
    from rich.console import Console

    return Console(file=sys.stdout, soft_wrap=True, highlight=False)


def is_command() -> bool:
    """Whether a command of genlab is running, not another program that uses it."""
    return any(isinstance(handler, ConsoleHandler) for handler in logging.getLogger().handlers)


def wait(text: str) -> None:
    """Show on a terminal what takes some seconds, until the next line is said."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        _waiting.append(text)
        print(f"{text} ...", end="", file=sys.stderr, flush=True)


def clear_waiting() -> None:
    """Take away what `wait` shows: something else is shown now."""
    if _waiting:
        _waiting.clear()
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def say(line: str) -> None:
    """Print a line as it is, but for what a terminal would obey."""
    clear_waiting()
    console().print(hide(printable(line)), markup=False)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below each other, never cut; without a header where all its names are empty.

    More than 50 columns, which no terminal has room for, are left to the file that has them all.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=any(header), box=None, pad_edge=False)
    for name in header[:MOST_COLUMNS]:
        table.add_column(printable(name), no_wrap=True)
    for row in rows:
        table.add_row(*(printable(cell) for cell in row[:MOST_COLUMNS]))
    # Rendered wide, for the terminal to wrap where it must: a cut path is of no use.
    text = io.StringIO()
    Console(file=text, width=1000).print(table)
    for line in text.getvalue().splitlines():
        say(line.rstrip())
    if len(header) > MOST_COLUMNS:
        say(f"and {counted(len(header) - MOST_COLUMNS, 'column')} more")


ONCE = {"once": True}
"""The `extra` of records that the console shows once, however many jobs of a command say them."""


class ConsoleHandler(logging.Handler):
    """Log records as plain lines on the console; tracebacks are left to the log file."""

    _said: ClassVar[set[str]] = set()

    @classmethod
    def forget(cls) -> None:
        """Show again what was shown once."""
        cls._said.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record; warnings and errors say their level."""
        if record.exc_info:
            return
        if getattr(record, "once", False):
            if record.getMessage() in self._said:
                return
            self._said.add(record.getMessage())
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        say(prefix + one_paragraph(record.getMessage()))


class _LogFile(logging.FileHandler):
    """Log records with times and levels in a file of a run folder, one paragraph each."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._failed = False
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def _open(self) -> Any:
        return open_plain(Path(self.baseFilename), "a")

    def format(self, record: logging.LogRecord) -> str:
        """The record with its traceback, later lines indented: none looks like a record."""
        return hide(one_paragraph(super().format(record)))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is Python's)
        """Say once that nothing can be written, where logging would print each call's traceback."""
        if not self._failed:
            self._failed = True
            reason = one_paragraph(str(sys.exc_info()[1]))
            print(f"genlab: {self.baseFilename}: cannot be written ({reason})", file=sys.stderr)

    def close(self) -> None:
        """Close the file; what could not be written is lost, as has been said."""
        with suppress(OSError):
            super().close()


@contextmanager
def log_to(file: Path | None, on_console: bool = False, quiet: bool = False) -> Iterator[None]:
    """Log into `file`, with times and levels, while the block runs; None for no file.

    `on_console` adds the console for a process that Hydra has not set up; `quiet` logs nothing.
    """
    root = logging.getLogger()
    handlers: list[logging.Handler] = []
    if file and not quiet:
        handlers.append(_LogFile(file))
    if on_console and not quiet:
        if not any(isinstance(handler, ConsoleHandler) for handler in root.handlers):
            handlers.append(ConsoleHandler())
        root.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    except Stopped:
        raise
    except BaseException:
        logging.getLogger(__name__).error("the run ended early", exc_info=True)
        raise
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
