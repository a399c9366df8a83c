"""The settings of `genlab compare`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import PATH, TEXT, Settings, any_of, setting, several


@dataclass(frozen=True, kw_only=True)
class Compare(Settings):
    """Scores of several runs side by side."""

    command = "compare"
    summary = "put the scores of several runs side by side"
    usage = ("runs='runs/*'|[last,PATH,...] [KEY=VALUE ...]",)
    notes = """\
Runs are ranked where their stamps say that they were measured in the same way (split, data,
numbers of images, feature network and its weights, resizer, seed); else the differences are
listed and nothing is ranked.
"""

    runs: Any = setting(
        any_of(PATH, several(PATH, "run folders or patterns", "[last,'runs/*vae*']", least=1)),
        "two runs or more: last, paths, or patterns ('runs/*vae*'), which leave out runs without "
        "an evaluation.json; genlab evaluate writes it",
    )
    metrics: Any = setting(
        several(TEXT, "scores", "[frechet_distance,recall]").or_null,
        "which scores (default: all that the runs share)",
        None,
        "[recall]",
    )
    out: str | None = fields.out(
        "comparison.md, comparison.csv and comparison.png in the folder comparison"
    )
    overwrite: bool = fields.overwrite()
