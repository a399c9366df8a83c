"""The study of a search: its trials, which process runs them, and their results."""

import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from genlab.errors import ConfigError, GenlabError
from genlab.io.locks import LockFile, exclusive
from genlab.io.reading import one_line
from genlab.runs.run_folder import RunFolder
from genlab.words import installing

log = logging.getLogger(__name__)

LOCK = ".study.lock"
JOURNAL = "study.journal"


class Settings(NamedTuple):
    """Settings of a study.

    Attributes:
        name: of the study.
        storage: the URL of its database; None for a file in the multirun's folder.
        trials: their number.
        sampler: tpe or random.
        seed: of the sampler.
        prune: whether unpromising trials are ended early.
        objective: the metric.
        direction: whether it is minimised or maximised.
    """

    name: str
    storage: str | None
    trials: int
    sampler: str
    seed: int
    prune: bool
    objective: str
    direction: Literal["minimize", "maximize"]


def require_optuna() -> Any:
    """The module optuna; ConfigError, with the command that installs it, if it is missing."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(f"hydra/sweeper=optuna: {error}: {installing('sweep')}") from error
    return optuna


def open_study(settings: Settings, folder: Path) -> Any:
    """Create or continue the study; ConfigError if it cannot be opened."""
    optuna = require_optuna()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    named = settings.storage or str(folder)
    kept = f"hydra.sweeper.storage={named}" if settings.storage else str(_file(folder))
    pruners = optuna.pruners
    try:
        with exclusive(folder / LOCK):  # two processes must not create the same tables
            study = optuna.create_study(
                study_name=settings.name,
                storage=settings.storage or _kept_in(folder),
                pruner=pruners.MedianPruner() if settings.prune else pruners.NopPruner(),
                direction=settings.direction,
                load_if_exists=True,
            )
            _refuse_another_objective(study, settings)
            trials = len(study.get_trials(deepcopy=False))
    except GenlabError:
        raise
    except Exception as error:  # each kind of storage has errors of its own
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise ConfigError(
            f"{kept}: the study cannot be read ({reason}): fix it, or search in another "
            "hydra.sweep.dir"
        ) from error
    aim = study.direction.name.lower()
    log.info("study: %s, %d trials so far: %s %s", named, trials, aim, settings.objective)
    return study


def _kept_in(folder: Path) -> Any:
    """The storage of a study in the multirun's folder: a journal, or an older database."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    journal = _file(folder)
    if journal.name != JOURNAL:
        return f"sqlite:///{journal.resolve()}"
    # Optuna declares only its own lock classes, but needs just acquire and release.
    return JournalStorage(JournalFileBackend(str(journal), JournalLock(journal)))  # type: ignore[arg-type]


def _file(folder: Path) -> Path:
    """The file of a study in the multirun's folder."""
    old = folder / "study.db"
    return old if old.exists() else folder / JOURNAL


def _refuse_another_objective(study: Any, settings: Settings) -> None:
    """Record the study's objective; ConfigError if its trials have another one."""
    known = study.user_attrs.get("objective")
    if known is None:
        study.set_user_attr("objective", settings.objective)
    elif known != settings.objective:
        raise ConfigError(
            f"objective={settings.objective}: the study's trials have the objective {known}: set "
            f"objective={known}, or search in another hydra.sweep.dir"
        )


class JournalLock:
    """A lock of Optuna's journal, which the kernel releases if its process is killed."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = LockFile(journal.with_name(f".{journal.name}.lock"), needed=False)

    def acquire(self) -> bool:
        """Wait for the lock; remove a partly written last line of a killed process."""
        self._lock.take()
        with self._journal.open("r+b") as file:
            size = file.seek(0, 2)
            file.seek(max(size - 1, 0))
            if size and file.read() != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()


def refuse_another_space(study: Any, distributions: Mapping[str, Any], folder: Path) -> None:
    """Raise ConfigError if trials of the study varied other settings or other values."""
    with exclusive(folder / LOCK):  # not while another process draws one
        trials = study.get_trials(deepcopy=False)
    for trial in trials[-1:]:
        # A trial that was being sampled when its process was killed has only some of them.
        drawn = {name: distributions.get(name) for name in trial.distributions}
        if trial.distributions != (distributions if trial.state.is_finished() else drawn):
            raise ConfigError(
                f"the study has trials that varied {', '.join(trial.distributions)} differently: "
                "use another hydra.sweep.dir, or another hydra.sweeper.study"
            )


def trials_to_run(
    study: Any, settings: Settings, distributions: Mapping[str, Any], folder: Path
) -> Iterator[Any]:
    """Interrupted trials, then new ones until the study has as many as the settings say.

    Each is locked by this process until the next one is requested, so that any number of processes
    can work on a study in one folder.
    """
    left: set[int] = set()
    while claim := _claimed(study, settings, distributions, folder, left):
        trial, lock = claim
        left.add(trial.number)
        try:
            yield trial
        finally:
            with exclusive(folder / LOCK):  # not while another process chooses a trial
                lock.release()


def _claimed(
    study: Any, settings: Settings, distributions: Mapping[str, Any], folder: Path, left: set[int]
) -> tuple[Any, LockFile] | None:
    """A trial with its lock, or None if there is nothing to do.

    Trials that this process has `left` already are skipped.
    """
    from optuna.trial import Trial, TrialState

    with exclusive(folder / LOCK):
        trials = study.get_trials(deepcopy=False)
        for frozen in trials:
            if frozen.state is not TrialState.RUNNING or frozen.number in left:
                continue
            lock = _claim(folder, frozen.number)
            # A job may still run although its sweep has ended.
            if lock.take(wait=False) and not RunFolder(folder / str(frozen.number)).is_locked:
                study.sampler = _sampler(settings, frozen.number)
                trial = Trial(study, frozen._trial_id)
                for name, distribution in distributions.items():
                    trial._suggest(name, distribution)  # samples missing ones
                return trial, lock
            lock.release()
        if len(trials) >= settings.trials:
            return None
        study.sampler = _sampler(settings, len(trials))
        trial = study.ask(dict(distributions))
        lock = _claim(folder, trial.number)
        lock.take()
        return trial, lock


def _sampler(settings: Settings, number: int) -> Any:
    """The sampler of a trial, which depends on its number and the seed, not on the process."""
    from optuna.samplers import RandomSampler, TPESampler

    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    return TPESampler(seed=seed) if settings.sampler == "tpe" else RandomSampler(seed=seed)


def _claim(folder: Path, number: int) -> LockFile:
    return LockFile(folder / f".trial-{number}.lock", needed=False)


def tell(study: Any, trial: Any, value: float | None, pruned: bool) -> None:
    """Report a trial's result to the study: its objective, pruned, or failed."""
    from optuna.trial import TrialState

    if pruned:
        study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
    elif value is None or not math.isfinite(value):
        study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
    else:
        study.tell(trial, value, skip_if_finished=True)
