"""How far the preparation of images is, on a terminal or in a log."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from genlab.console import clear_waiting
from genlab.data.source import Advance
from genlab.words import counted

_logger = logging.getLogger(__name__)


@contextmanager
def progress(task: str, count: int, unit: str = "image") -> Iterator[Advance]:
    """A function to call with every number of units done: a bar, or one log line at the start."""
    if not sys.stderr.isatty():
        _logger.info("%s: %s", task, counted(count, unit))
        yield lambda done: None
        return
    clear_waiting()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        identifier = bar.add_task(task, total=count)
        yield lambda done: bar.advance(identifier, done)
