"""The settings of `genlab runs`."""

from dataclasses import dataclass

from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATH, TEXT


@dataclass(frozen=True, kw_only=True)
class Runs(Settings):
    """Lists the runs of a folder with their states and scores, one line each."""

    command = "runs"
    summary = "list the runs of a folder: state, length, size and scores"
    usage = ("[match=WORD] [folder=PATH]",)
    notes = """\
States: finished (trained to its full length), training (a process is training it), stopped
(genlab train resume=PATH continues it), started (nothing was saved yet), damaged (with the reason).

Scores are those of genlab evaluate, or else the last ones of the training.
"""

    match: str = setting(TEXT, "only runs whose path contains this", "")
    folder: str | None = setting(
        PATH.or_null,
        "folder to search for runs, also one level below (default: the folders runs and sweeps)",
        None,
        "PATH",
    )
