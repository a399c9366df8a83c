"""The settings of `genlab runs`."""

from dataclasses import dataclass

from genlab.settings.fields import PATH, TEXT, Settings, setting


@dataclass(frozen=True, kw_only=True)
class Runs(Settings):
    """The runs of a folder with their states and scores, one line each."""

    command = "runs"
    summary = "list the runs of a folder: state, length, size and scores"
    usage = ("[match=WORD] [folder=PATH]",)
    notes = """\
States: finished (it has its length), training (a process works in it), stopped (genlab train
resume=PATH continues it), started (nothing was saved yet), damaged (with the reason).

Scores are those of genlab evaluate, or else the last ones of the training.
"""

    match: str = setting(TEXT, "only runs whose path contains this", "")
    folder: str | None = setting(
        PATH.or_null,
        "where runs are looked for, also one level below (default: the folders runs and sweeps)",
        None,
        "PATH",
    )
