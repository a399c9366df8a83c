"""A search for settings: the study, its trials, and the run under way that reports to one."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genlab.errors import ConfigError

log = logging.getLogger(__name__)

STUDY = "genlab"


class Listener:
    """Hears the objective of the run under way, and says when to give it up."""

    def __init__(self, ask: Callable[[float, int], bool]) -> None:
        self._ask = ask
        self.pruned = False

    def hopeless(self, value: float, images_seen: int) -> bool:
        """Whether a run with this objective after so many images is not worth its time."""
        self.pruned = self._ask(value, images_seen)
        return self.pruned


_listeners: list[Listener] = []


def listener() -> Listener | None:
    """Who listens to the run under way in this process; None where no search is on."""
    return _listeners[-1] if _listeners else None


@contextmanager
def listening(trial: Any) -> Iterator[Listener]:
    """While the block runs, the trial hears the run's objective."""

    def ask(value: float, images_seen: int) -> bool:
        trial.report(value, images_seen)
        return trial.should_prune()

    found = Listener(ask)
    _listeners.append(found)
    try:
        yield found
    finally:
        _listeners.remove(found)


def open_study(folder: Path, storage: str | None, sampler: str, seed: int, prune: bool) -> Any:
    """The study kept in `storage`, by default a file in the folder of the multirun."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(f'hydra/sweeper=optuna: {error}: pip install "genlab[sweep]"') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    pruner = optuna.pruners.MedianPruner() if prune else optuna.pruners.NopPruner()
    where = storage or f"sqlite:///{folder.resolve() / 'study.db'}"
    study = optuna.create_study(
        study_name=STUDY,
        storage=where,
        sampler=samplers[sampler](seed=seed),
        pruner=pruner,
        load_if_exists=True,
    )
    # Each trial draws anew: a study that goes on must not draw what it drew first.
    study.sampler = samplers[sampler](seed=seed + len(study.trials))
    log.info("study: %s, %d trials so far", where, len(study.trials))
    return study


def trials_to_run(study: Any, count: int, distributions: Mapping[str, Any]) -> Iterator[Any]:
    """Trials that were interrupted, then new ones until there are `count`."""
    import optuna

    for frozen in study.trials:
        if frozen.state is optuna.trial.TrialState.RUNNING:
            yield optuna.trial.Trial(study, frozen._trial_id)
    while len(study.trials) < count:
        yield study.ask(dict(distributions))


def tell(study: Any, trial: Any, value: float | None, pruned: bool) -> None:
    """How a trial ended: its objective, given up, or failed."""
    from optuna.trial import TrialState

    if pruned:
        study.tell(trial, state=TrialState.PRUNED)
    elif value is None or not math.isfinite(value):
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, value)


def report(study: Any, folder: Path) -> None:
    """Say which trial was best, and draw the search into search.png."""
    from optuna.trial import TrialState

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not done:
        log.warning("no trial came to an end: see the errors above")
        return
    best = study.best_trial
    told = " ".join(f"{key}={value}" for key, value in best.params.items())
    log.info("best: trial %d of %d, %.5g with %s", best.number, len(study.trials), best.value, told)
    _draw(done, folder / "search.png")
    log.info("search: %s", folder / "search.png")


def _draw(done: list[Any], path: Path) -> None:
    """The objective of each trial that came to its end, in turn and by every setting."""
    from genlab.artefacts.figures import new_figure, rendered
    from genlab.artefacts.pictures import save_png

    names = list(done[0].params)
    values = [trial.value for trial in done]
    figure = new_figure(3.4 * (len(names) + 1), 3.4)
    axes = figure.subplots(1, len(names) + 1, sharey=True, squeeze=False)[0]
    numbers = [trial.number for trial in done]
    axes[0].scatter(numbers, values, s=18)
    axes[0].step(numbers, [min(values[: i + 1]) for i in range(len(values))], where="post")
    axes[0].set(xlabel="trial", ylabel="objective, the best so far as a line")
    for plot, name in zip(axes[1:], names, strict=True):
        settings = [_number(trial.params.get(name)) for trial in done]
        plot.scatter(settings, values, s=18, c=numbers, cmap="viridis")
        if getattr(done[0].distributions[name], "log", False):
            plot.set_xscale("log")
        plot.set_xlabel(name, fontsize=8)
    save_png(rendered(figure), path)


def _number(setting: Any) -> float | str:
    """A choice as a number where it is one."""
    try:
        return float(setting)
    except ValueError:
        return str(setting)
