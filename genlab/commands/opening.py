"""The run that a verb is asked to use, opened."""

from collections.abc import Mapping
from typing import Any

from genlab.errors import ResourceError
from genlab.io.files import may_write
from genlab.runs.held_out import condition_of
from genlab.runs.loaded import Opened, open_run

IMAGE = "image=PATH"


def open_asked(config: Mapping[str, Any], instead: str = "") -> Opened:
    """The run that `run` names on the device of `accelerator`; results may be written.

    Args:
        config: of a verb, with `out`: where results go, None for the run folder.
        instead: what users whose data are gone can set, as in "image=PATH"; see `Opened`.

    Raises:
        ResourceError: results go to the run folder, which cannot be written to.
    """
    opened = open_run(config["run"], config["accelerator"])
    # Files do not say the labels that such a model is told.
    opened.instead = "" if instead == IMAGE and condition_of(opened) else instead
    if config["out"] is None and not may_write(opened.folder.path):
        raise ResourceError(
            f"run={opened.folder.path} is read-only: say where results go, out=PATH"
        )
    return opened
