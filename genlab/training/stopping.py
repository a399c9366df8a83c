"""SIGINT and SIGTERM before and after training; during training `Lifecycle` handles them."""

from collections.abc import Iterator
from contextlib import contextmanager

from genlab.errors import Stopped
from genlab.processes.signals import listening
from genlab.runs.run_folder import RunFolder


def stopped_message(folder: RunFolder | None) -> str:
    """The message for a run that was stopped before or after training."""
    if folder is None or not folder.saved:
        return "stopped before training began; nothing was saved"
    return f"stopped; continue with genlab train resume={folder.path}"


@contextmanager
def stoppable(folder: RunFolder | None = None) -> Iterator[None]:
    """A signal ends the block with Stopped, whose message says what is saved."""

    def stop(number: int) -> None:
        raise Stopped(stopped_message(folder), number)

    with listening(stop):
        yield
