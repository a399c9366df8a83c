"""The settings of `genlab compare`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATH, TEXT, any_of, several


@dataclass(frozen=True, kw_only=True)
class Compare(Settings):
    """Compares the scores of several runs."""

    command = "compare"
    summary = "compare the scores of several runs in a table"
    usage = ("runs='runs/*'|[last,PATH,...] [KEY=VALUE ...]",)
    notes = """\
Runs are ranked if their stamps show that they were measured in the same way (split, data, numbers
of images, feature network and its weights, resizer, seed); else the differences are listed and
nothing is ranked.
"""

    runs: Any = setting(
        any_of(PATH, several(PATH, "run folders or patterns", "[last,'runs/*vae*']", least=1)),
        "at least two runs: last, paths, or patterns ('runs/*vae*'), which skip runs without an "
        "evaluation.json; genlab evaluate writes it",
    )
    metrics: Any = setting(
        several(TEXT, "scores", "[frechet_distance,recall]").or_null,
        "the scores to compare (default: all that the runs have in common)",
        None,
        "[recall]",
    )
    out: str | None = fields.out(
        "the folder comparison, with comparison.md, comparison.csv and comparison.png"
    )
    overwrite: bool = fields.overwrite()
