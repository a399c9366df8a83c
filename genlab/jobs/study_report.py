"""The results of a search: a table and a figure of its trials."""

import logging
from pathlib import Path
from typing import Any

from genlab.io.files import write_csv
from genlab.io.locks import exclusive
from genlab.jobs.study import LOCK

log = logging.getLogger(__name__)


def report(study: Any, folder: Path) -> None:
    """Log the best trial, write all trials to trials.csv, and draw them."""
    with exclusive(folder / LOCK):  # so that the last report includes all results
        _report(study, folder)


def _report(study: Any, folder: Path) -> None:
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    _write_trials(trials, folder / "trials.csv")
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    if not done:
        log.warning("no trial has finished: see the errors above")
        return
    best = study.best_trial
    settings = " ".join(f"{key}={_short(value)}" for key, value in best.params.items())
    log.info("best: trial %d of %d, %.5g with %s", best.number, len(trials), best.value, settings)
    _draw(done, best, folder / "search.png")
    log.info("search: %s, %s", folder / "trials.csv", folder / "search.png")


def _write_trials(trials: list[Any], path: Path) -> None:
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    rows = [
        [trial.number, trial.state.name.lower(), trial.value, *map(trial.params.get, names)]
        for trial in trials
    ]
    write_csv(path, [["trial", "state", "value", *names], *rows])


def _draw(done: list[Any], best: Any, path: Path) -> None:
    """Draw the objective of each finished trial, by number and by every setting."""
    from genlab.drawing.figures import new_figure, rendered
    from genlab.drawing.image_grid import save_png

    names = list(best.params)
    figure = new_figure(3.4 * (len(names) + 1), 3.4)
    axes = figure.subplots(1, len(names) + 1, sharey=True, squeeze=False)[0]
    axes[0].scatter([trial.number for trial in done], [trial.value for trial in done], s=18)
    axes[0].set(xlabel="trial", ylabel="objective, the best in red")
    if min(trial.value for trial in done) > 0:
        axes[0].set_yscale("log")
    axes[0].scatter([best.number], [best.value], s=40, c="tab:red")
    for plot, name in zip(axes[1:], names, strict=True):
        settings = _numbers([trial.params[name] for trial in done])
        plot.scatter(settings, [trial.value for trial in done], s=18)
        plot.scatter([settings[done.index(best)]], [best.value], s=40, c="tab:red")
        if getattr(best.distributions[name], "log", False):
            plot.set_xscale("log")
        plot.set_xlabel(name, fontsize=8)
    save_png(rendered(figure), path)


def _short(value: Any) -> Any:
    """A float in a few digits; trials.csv has all digits."""
    return f"{value:.5g}" if isinstance(value, float) else value


def _numbers(settings: list[Any]) -> list[Any]:
    """Choices as numbers if all are numbers, else as words."""
    try:
        return [float(setting) for setting in settings]
    except ValueError:
        return [str(setting) for setting in settings]
