"""SIGINT and SIGTERM before training and after; while it trains, `Lifecycle` takes them."""

from collections.abc import Iterator
from contextlib import contextmanager

from genlab.errors import Stopped
from genlab.processes.signals import listening
from genlab.runs.folder import RunFolder


def stopped_message(folder: RunFolder | None) -> str:
    """What to say of a run that was stopped while it did not train."""
    if folder is None or not folder.saved:
        return "stopped before training began; nothing was saved"
    return f"stopped; continue with genlab train resume={folder.path}"


@contextmanager
def stoppable(folder: RunFolder | None = None) -> Iterator[None]:
    """A signal ends the block with Stopped, which says what is saved in the run folder."""

    def stop(number: int) -> None:
        raise Stopped(stopped_message(folder), number)

    with listening(stop):
        yield
