"""`genlab compare`: the scores of several runs side by side."""

import glob
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genlab.commands.outputs import keep_others
from genlab.commands.user_paths import several
from genlab.config.parts import flatten
from genlab.console import print_table
from genlab.drawing.charts import bars
from genlab.drawing.image_grid import save_png
from genlab.errors import CheckpointError, ConfigError
from genlab.io.files import write_csv, write_text
from genlab.metrics import less_is_better
from genlab.runs import finding
from genlab.runs.run_folder import RunFolder
from genlab.settings.compare import Compare

log = logging.getLogger(__name__)

# Entries of a stamp that describe the run itself, not how it was measured.
_OWN = ("weights.", "genlab")
_MOST = 50  # metrics in the table and the chart, and differences in the list
_LONGEST = 120  # of a value of a stamp


class Scores(NamedTuple):
    """A run by its displayed name, its scores and the stamp of how they were measured."""

    name: str
    metrics: dict[str, float]
    stamp: dict[str, Any]


def run(settings: Compare) -> None:
    """Read the evaluations, compare stamps, print, write."""
    folder = Path(settings.out or "comparison").expanduser()
    keep_others([folder / f"comparison.{suffix}" for suffix in ("md", "csv", "png")], settings)
    scores = read(named(settings.runs))
    every = _metrics(scores, settings.metrics)
    names = every[:_MOST]
    differences = _differences(scores)
    rows = [[each.name, *(_shown(each.metrics.get(name)) for name in names)] for each in scores]
    print_table(["run", *names], rows)
    lines = ["Not ranked, because the scores were measured in different ways:", *differences]
    if not differences:
        lines = ["Best, of scores measured in the same way:", *_best(scores, names)]
    for line in lines:
        log.info("%s", line)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "comparison.md", _markdown(["run", *names], rows, lines))
    exact = [[each.name, *(_exact(each.metrics, name) for name in every)] for each in scores]
    write_csv(folder / "comparison.csv", [["run", *every], *exact])
    save_png(bars({each.name: each.metrics for each in scores}, names), folder / "comparison.png")
    if len(every) > _MOST:
        log.info("%s more metrics are in comparison.csv only", f"{len(every) - _MOST:,}")
    log.info("wrote %s", folder / "comparison.{md,csv,png}")


def named(runs: object) -> list[str]:
    """The runs that a setting names, and those that its patterns match.

    Raises:
        ConfigError: a pattern matches no evaluated run, or there are fewer than two runs.
    """
    found: list[str] = []
    for each in several(runs):
        if not glob.has_magic(each) or Path(each).exists():
            found.append(each)
            continue
        folders = sorted(Path(match) for match in glob.glob(each, recursive=True))
        fitting = [
            str(f) for f in folders if RunFolder(f).exists and RunFolder(f).evaluation.exists()
        ]
        if not fitting:
            raise ConfigError(
                f"runs={each} matches no evaluated run; genlab evaluate run=PATH evaluates one"
            )
        found += [run for run in fitting if run not in found]
    if len(found) < 2:
        raise ConfigError(f"runs={','.join(found)}: name two run folders or more to compare")
    return found


def read(paths: Sequence[str]) -> list[Scores]:
    """The evaluations of runs, named by their folders, or by paths if folders have the same name.

    Raises CheckpointError if a run has not been evaluated.
    """
    folders = [finding.find_run(path, key="runs") for path in paths]
    short = [folder.name for folder in folders]
    scores = []
    for path, folder in zip(paths, folders, strict=True):
        if not folder.evaluation.exists():
            raise CheckpointError(
                f"{path} has no {folder.evaluation.name} yet: genlab evaluate run={path}"
            )
        content = folder.read_evaluation()
        name = folder.name if short.count(folder.name) == 1 else str(path)
        scores.append(Scores(name, content["metrics"], content["stamp"]))
    return scores


def _metrics(scores: Sequence[Scores], wanted: Sequence[str] | None) -> list[str]:
    """The metrics to show: those in the settings, else those of all runs; ConfigError for none."""
    known = list(dict.fromkeys(name for each in scores for name in each.metrics))
    if wanted is None:
        shared = [name for name in known if all(name in each.metrics for each in scores)]
        if not shared:
            raise ConfigError("the runs have no score in common")
        return shared
    if not wanted:
        raise ConfigError("metrics=[] is empty: name at least one, or leave it out")
    for name in wanted:
        if name not in known:
            shown = ", ".join(known)[:_LONGEST]
            raise ConfigError(f"metrics: no run has {name}; they have {shown}")
    return list(wanted)


def _differences(scores: Sequence[Scores]) -> list[str]:
    """Differences of the stamps, one line each."""
    stamps = [{k: v for k, v in flatten(each.stamp) if not k.startswith(_OWN)} for each in scores]
    lines = []
    for key in dict.fromkeys(key for stamp in stamps for key in stamp):
        values = [str(stamp.get(key, "unset"))[:_LONGEST] for stamp in stamps]
        if len(set(values)) > 1:
            lines.append(f"- {key[:_LONGEST]}: {', '.join(dict.fromkeys(values))}")
    more = [f"- and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else []
    return lines[:_MOST] + more


def _best(scores: Sequence[Scores], names: Sequence[str]) -> list[str]:
    lines = []
    for name in names:
        less = less_is_better(name)
        if less is None:
            continue
        measured = [each for each in scores if name in each.metrics]
        choose = min if less else max
        best = choose(measured, key=lambda each: each.metrics[name])
        lines.append(f"- {name}: {best.name} ({_shown(best.metrics[name])})")
    return lines


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[str]) -> str:
    cells = [header, ["---"] * len(header), *rows]
    text = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    return f"{text}\n\n{lines[0]}\n\n" + "\n".join(lines[1:]) + "\n"


def _exact(metrics: Mapping[str, float], name: str) -> str:
    return repr(metrics[name]) if name in metrics else ""
