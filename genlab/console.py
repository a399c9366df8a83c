"""The one terminal console, and the log handlers that write through it."""

import io
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from genlab.errors import Stopped

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> "Console":
    """The console that everything prints through, so that a progress bar is never torn."""
    from rich.console import Console

    return Console(file=sys.stdout, soft_wrap=True, highlight=False)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below each other, never cut; without a header where all its names are empty."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=any(header), box=None, pad_edge=False)
    for name in header:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    # Rendered wide, for the terminal to wrap where it must: a cut path is of no use.
    text = io.StringIO()
    Console(file=text, width=1000).print(table)
    for line in text.getvalue().splitlines():
        console().print(line.rstrip(), markup=False)


class ConsoleHandler(logging.Handler):
    """Log records as plain lines on the console; tracebacks are left to the log file."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record; warnings and errors say their level."""
        if record.exc_info:
            return
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        console().print(prefix + record.getMessage(), markup=False)


@contextmanager
def log_to(file: Path | None, on_console: bool = False, quiet: bool = False) -> Iterator[None]:
    """Log into `file`, with times and levels, while the block runs; None for no file.

    `on_console` adds the console for a process that Hydra has not set up; `quiet` logs nothing.
    """
    root = logging.getLogger()
    handlers: list[logging.Handler] = []
    if file and not quiet:
        handlers.append(logging.FileHandler(file))
        handlers[0].setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )
    if on_console and not quiet:
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
