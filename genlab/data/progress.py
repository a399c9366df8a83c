"""How far long work is, on a terminal or in a log."""

import logging
import sys
import time
from collections.abc import Iterator, Sequence, Sized
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from genlab.console import clear_waiting, is_command
from genlab.data.source import Advance
from genlab.words import counted

_logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0  # work that takes longer shows how far it is

T = TypeVar("T", bound=Sized)


@contextmanager
def progress(task: str, count: int, unit: str = "image", done: int = 0) -> Iterator[Advance]:
    """A function to call with every number of units done: a bar, or one log line at the start.

    `done` units were done before.
    """
    if not sys.stderr.isatty():
        _logger.info("%s: %s", task, counted(count, unit))
        yield lambda done: None
        return
    clear_waiting()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        identifier = bar.add_task(task, total=count, completed=done)
        yield lambda done: bar.advance(identifier, done)


@contextmanager
def late_progress(task: str, count: int, unit: str = "image") -> Iterator[Advance]:
    """The same for work that may be short: it shows nothing before two seconds have passed.

    Within Python programs, which log for themselves, it shows nothing at all.
    """
    started, total = time.monotonic(), 0
    shown: Advance | None = None
    with ExitStack() as stack:

        def advance(done: int) -> None:
            nonlocal total, shown
            total += done
            if shown is not None:
                shown(done)
            elif is_command() and time.monotonic() - started > PATIENCE_SECONDS and total < count:
                shown = stack.enter_context(progress(task, count, unit, total))

        yield advance


def tracked(task: str, batches: Sequence[T]) -> Iterator[T]:
    """Batches of images one by one, with `late_progress` by their images."""
    with late_progress(task, sum(map(len, batches))) as advance:
        for batch in batches:
            yield batch
            advance(len(batch))


def tracked_steps(task: str, count: int) -> Iterator[int]:
    """The numbers of steps, from 0, with `late_progress`."""
    with late_progress(task, count, "step") as advance:
        for step in range(count):
            yield step
            advance(1)
