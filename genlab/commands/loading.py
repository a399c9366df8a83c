"""Loading of the run that a command names."""

from typing import Protocol

from genlab.errors import ResourceError
from genlab.io.files import may_write
from genlab.runs.held_out import condition_of
from genlab.runs.loaded import LoadedRun, load_run

IMAGE = "image=PATH"


class OfRun(Protocol):
    """Settings that all commands on a run have."""

    @property
    def run(self) -> str | None:
        """The run folder, or "last"."""

    @property
    def out(self) -> str | None:
        """Where results are written; None for the run folder."""

    @property
    def accelerator(self) -> str:
        """The device to compute on."""


def load_run_for(settings: OfRun, instead: str = "") -> LoadedRun:
    """Load the run that `run` names, on the device that `accelerator` names.

    Args:
        settings: of a command.
        instead: what users whose data are missing can set, as in "image=PATH"; see `LoadedRun`.

    Raises:
        ResourceError: results go to the run folder, which cannot be written to.
    """
    loaded = load_run(settings.run, settings.accelerator)
    # A conditional model needs labels, which image files do not have.
    loaded.instead = "" if instead == IMAGE and condition_of(loaded) else instead
    if settings.out is None and not may_write(loaded.folder.path):
        raise ResourceError(
            f"run={loaded.folder.path} is read-only: name another place for results, out=PATH"
        )
    return loaded
