"""The run that a verb is asked to use, opened."""

from typing import Protocol

from genlab.errors import ResourceError
from genlab.io.files import may_write
from genlab.runs.held_out import condition_of
from genlab.runs.loaded import Opened, open_run

IMAGE = "image=PATH"


class OfRun(Protocol):
    """Settings of a command that works with a run."""

    @property
    def run(self) -> str | None:
        """Its folder, or "last"."""

    @property
    def out(self) -> str | None:
        """Where results go; None for the run folder."""

    @property
    def accelerator(self) -> str:
        """Where to compute."""


def open_asked(settings: OfRun, instead: str = "") -> Opened:
    """The run that `run` names on the device of `accelerator`; results may be written.

    Args:
        settings: of a command.
        instead: what users whose data are gone can set, as in "image=PATH"; see `Opened`.

    Raises:
        ResourceError: results go to the run folder, which cannot be written to.
    """
    opened = open_run(settings.run, settings.accelerator)
    # Files do not say the labels that such a model is told.
    opened.instead = "" if instead == IMAGE and condition_of(opened) else instead
    if settings.out is None and not may_write(opened.folder.path):
        raise ResourceError(
            f"run={opened.folder.path} is read-only: say where results go, out=PATH"
        )
    return opened
