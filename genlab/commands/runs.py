"""`genlab runs`: the runs of a folder, the newest last."""

import os
from collections.abc import Mapping
from pathlib import Path

from genlab.console import print_table
from genlab.errors import CheckpointError
from genlab.runs.finding import newest_first, runs_of
from genlab.runs.run_folder import RunFolder
from genlab.runs.state import RunState, state_of
from genlab.settings.runs import Runs
from genlab.words import readable

_KIB = 1024
# The most informative scores; the first two that a run has are shown.
_TELLING = (
    "frechet_distance",
    "evaluation/frechet_distance",
    "mse",
    "validation/mse",
    "elbo",
    "validation/loss",
    "validation/cycle_mse",
    "recall",
    "train/loss",
    "train/generator_loss",
    "train/critic_loss",
)


def run(settings: Runs) -> None:
    """Find, read and print runs; CheckpointError if there are none."""
    if settings.folder is None:
        places, where = runs_of(Path.cwd()), "runs and sweeps"
    else:
        folder = Path(settings.folder).expanduser()
        found = (file for depth in ("*", "*/*") for file in folder.glob(f"{depth}/config.yaml"))
        places, where = newest_first(file.parent for file in found), str(folder)
    chosen = [place for place in places if settings.match in str(place)]
    if not chosen:
        raise CheckpointError(f"{where}: no runs here; start one with genlab train, or folder=PATH")
    header = ["run", "state", "images", "size", "scores"]
    print_table(header, [_row(place) for place in reversed(chosen)])


def _row(place: Path) -> list[str]:
    state = state_of(RunFolder(place))
    shown = readable(os.path.relpath(place))
    if state.problem:
        return [shown, state.name, "", "", state.problem]
    return [shown, state.name, _length(state), _size(state.size), scores(state.metrics or {})]


def _length(state: RunState) -> str:
    if state.images_seen >= state.total_images:
        return f"{state.images_seen:,}"
    return f"{state.images_seen:,} of {state.total_images:,}"


def scores(metrics: Mapping[str, float]) -> str:
    """The two most informative scores of a run."""
    telling = [name for name in _TELLING if name in metrics][:2]
    return ", ".join(f"{name} {metrics[name]:.4g}" for name in telling)


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < _KIB:
            return f"{size:.0f} {unit}"
        size /= _KIB
    return f"{size:.1f} GiB"
