"""SIGINT and SIGTERM before training and after; while it trains, `Lifecycle` takes them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from genlab.errors import Stopped
from genlab.runs import RunFolder


def stopped_message(folder: RunFolder | None) -> str:
    """What to say of a run that was stopped while it did not train."""
    if folder is None or not folder.saved:
        return "stopped before training began; nothing was saved"
    return f"stopped; continue with genlab train resume={folder.path}"


@contextmanager
def stoppable(folder: RunFolder | None = None) -> Iterator[None]:
    """A signal ends the block with Stopped, which says what is saved in the run folder."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
        raise Stopped(stopped_message(folder), number)

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
