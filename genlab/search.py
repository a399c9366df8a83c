"""A search for settings: the study, its trials, and the run under way that reports to one."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from genlab.errors import ConfigError
from genlab.files import write_csv

log = logging.getLogger(__name__)


class Listener:
    """Hears the objective of the run under way, and says when to give it up."""

    def __init__(self, ask: Callable[[float, int], bool]) -> None:
        self._ask = ask
        self.pruned = False

    def hopeless(self, value: float, number: int) -> bool:
        """Whether a run whose measurement of this number has this value is not worth its time."""
        self.pruned = self._ask(value, number)
        return self.pruned


def objective_among(metrics: Iterable[str], wanted: str | None) -> str | None:
    """The metric that a search looks at: the one asked for, else the first of validation/.

    None where there is no such metric.
    """
    names = list(metrics)
    if wanted is not None:
        return wanted if wanted in names else None
    return next((name for name in names if name.startswith("validation/")), None)


_listeners: list[Listener] = []


def listener() -> Listener | None:
    """Who listens to the run under way in this process; None where no search is on."""
    return _listeners[-1] if _listeners else None


@contextmanager
def listening(trial: Any) -> Iterator[Listener]:
    """While the block runs, the trial hears the run's objective."""

    def ask(value: float, number: int) -> bool:
        trial.report(value, number)
        return trial.should_prune()

    found = Listener(ask)
    _listeners.append(found)
    try:
        yield found
    finally:
        _listeners.remove(found)


class Settings(NamedTuple):
    """Of a study: its name, where it is kept, how it draws, and what it looks for."""

    name: str
    storage: str
    sampler: str
    seed: int
    prune: bool
    direction: Literal["minimize", "maximize"]


def open_study(settings: Settings) -> Any:
    """The study, new or gone on with; ConfigError where it cannot be had."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(f'hydra/sweeper=optuna: {error}: pip install "genlab[sweep]"') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    try:
        study = optuna.create_study(
            study_name=settings.name,
            storage=settings.storage,
            pruner=optuna.pruners.MedianPruner() if settings.prune else optuna.pruners.NopPruner(),
            direction=settings.direction,
            load_if_exists=True,
        )
    except Exception as error:  # each kind of storage has errors of its own
        raise ConfigError(f"hydra.sweeper.storage={settings.storage}: {error}") from error
    # A study that goes on must not draw what it drew first.
    study.sampler = samplers[settings.sampler](seed=settings.seed + len(study.trials))
    log.info("study: %s, %d trials so far", settings.storage, len(study.trials))
    return study


def refuse_another_space(study: Any, distributions: Mapping[str, Any]) -> None:
    """Raise ConfigError where trials of the study varied other settings, or others of them."""
    for trial in study.get_trials(deepcopy=False)[-1:]:
        if trial.distributions != distributions:
            raise ConfigError(
                f"the study has trials that varied {', '.join(trial.distributions)} in another "
                "way: search in another hydra.sweep.dir, or as another hydra.sweeper.study"
            )


def trials_to_run(
    study: Any, count: int, distributions: Mapping[str, Any], held: Callable[[int], bool]
) -> Iterator[Any]:
    """Trials that were interrupted, then new ones until there are `count`.

    Those whose number is `held` are under way in another process.
    """
    import optuna

    for frozen in study.trials:
        if frozen.state is optuna.trial.TrialState.RUNNING and not held(frozen.number):
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
    """Say which trial was best, write all of them to trials.csv, and draw the search."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    _write_trials(trials, folder / "trials.csv")
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    if not done:
        log.warning("no trial came to an end: see the errors above")
        return
    best = study.best_trial
    told = " ".join(f"{key}={value}" for key, value in best.params.items())
    log.info("best: trial %d of %d, %.5g with %s", best.number, len(trials), best.value, told)
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
    """The objective of each trial that came to its end, in turn and by every setting."""
    from genlab.artefacts.figures import new_figure, rendered
    from genlab.artefacts.pictures import save_png

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


def _numbers(settings: list[Any]) -> list[Any]:
    """Choices as numbers where all of them are, else as words."""
    try:
        return [float(setting) for setting in settings]
    except ValueError:
        return [str(setting) for setting in settings]
