"""The Hydra sweeper `optuna`: a search for the settings with the best objective.

Hydra searches the package hydra_plugins for sweepers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
)
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from genlab.errors import ConfigError
from genlab.words import one_of

if TYPE_CHECKING:  # Hydra imports all its plugins, whatever the command
    from genlab.jobs.multirun import Multirun

SAMPLERS = ("tpe", "random")


class OptunaSweeper(Sweeper):
    """Each job is a trial of an Optuna study; see configs/hydra/sweeper/optuna.yaml.

    An existing study is continued: interrupted trials first, in their own folders.
    """

    def __init__(
        self,
        trials: int,
        sampler: str,
        prune: bool,
        seed: int,
        study: str,
        storage: str | None,
        params: Mapping[str, str] | None,
    ) -> None:
        one_of("hydra.sweeper.sampler", sampler, SAMPLERS)
        if not isinstance(trials, int) or trials < 1:
            raise ConfigError(f"hydra.sweeper.trials={trials} must be a whole number, at least 1")
        self.trials = trials
        self.sampler = sampler
        self.prune = prune
        self.seed = seed
        self.study = study
        self.storage = storage
        self.params = dict(params or {})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Hydra's hook."""
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Hydra's hook: run trials until the study has as many as `trials`."""
        from genlab.io.files import write_text
        from genlab.io.secrets import hide
        from genlab.jobs import multirun, study, study_report
        from genlab.metrics import less_is_better

        assert self.hydra_context is not None
        assert self.config is not None
        assert self.launcher is not None
        words = [*(f"{key}={value}" for key, value in self.params.items()), *arguments]
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides(words)
        fixed = [o.input_line or "" for o in overrides if not o.is_sweep_override()]
        searched = [o for o in overrides if o.is_sweep_override()]
        if not searched:
            raise ConfigError(
                "a search needs settings to vary: KEY=interval(A,B), tag(log,interval(A,B)), "
                "range(A,B) or a list A,B,C"
            )
        study.require_optuna()
        distributions = {o.key_or_group: _distribution(o) for o in searched}
        run = multirun.begin(Path(self.config.hydra.sweep.dir))
        write_text(run.folder / "multirun.yaml", hide(OmegaConf.to_yaml(self.config)))
        first = [f"{name}={_lowest(values)}" for name, values in distributions.items()]
        objective = self._objective([*fixed, *first])
        less = less_is_better(objective.split("/", 1)[-1])
        settings = study.Settings(
            name=self.study,
            storage=self.storage,
            trials=self.trials,
            sampler=self.sampler,
            seed=self.seed,
            prune=self.prune,
            objective=objective,
            direction="maximize" if less is False else "minimize",
        )
        fixed.append(f"objective={objective}")
        opened = study.open_study(settings, run.folder)
        study.refuse_another_space(opened, distributions, run.folder)
        for trial in study.trials_to_run(opened, settings, distributions, run.folder):
            words = [*fixed, *(f"{key}={value}" for key, value in trial.params.items())]
            self._run(opened, trial, run, words)
        study_report.report(opened, run.folder)

    def _run(self, opened: Any, trial: Any, run: "Multirun", words: list[str]) -> None:
        """Launch one trial, and report its result to the study."""
        from genlab.callbacks import listener
        from genlab.jobs import job as jobs
        from genlab.jobs import study

        assert self.launcher is not None
        job = run.jobs[trial.number] = jobs.Job(run.folder / str(trial.number), words)
        with listener.listening(trial):
            run.launch(self.launcher.launch, [trial.number])
        end = jobs.end_of(job)
        if end.status != "running":  # else a process of an earlier call still trains it
            study.tell(opened, trial, jobs.objective_value(end), end.status == "pruned")

    def _objective(self, words: list[str]) -> str:
        """The metric of the search's objective; ConfigError if no trial would record it."""
        from genlab.jobs.search_objective import objective_of

        assert self.hydra_context is not None
        assert self.config is not None
        composed = self.hydra_context.config_loader.load_sweep_config(self.config, words)
        with open_dict(composed):
            del composed["hydra"]
        return objective_of(composed)


def _lowest(distribution: Any) -> Any:
    """One of the values of a distribution."""
    choices = getattr(distribution, "choices", None)
    return choices[0] if choices else distribution.low


def _distribution(override: Override) -> Any:
    """Optuna's distribution for the values of a sweep override; ConfigError for invalid ones."""
    try:
        return _unchecked_distribution(override)
    except ValueError as error:
        raise ConfigError(f"{override.input_line}: {error}") from error


def _unchecked_distribution(override: Override) -> Any:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    value = override.value()
    if isinstance(value, ChoiceSweep):
        return CategoricalDistribution(list(override.sweep_string_iterator()))
    sweep: Any = value  # Hydra declares its numbers too broadly
    if isinstance(value, RangeSweep):
        start, stop, step = sweep.start, sweep.stop, sweep.step  # Hydra excludes the stop
        if all(isinstance(number, int) for number in (start, stop, step)):
            return IntDistribution(start, stop - 1, step=step)
        return FloatDistribution(start, stop - step, step=step)
    assert isinstance(value, IntervalSweep)
    start, end, log_scale = sweep.start, sweep.end, "log" in sweep.tags
    if isinstance(start, int) and isinstance(end, int):
        return IntDistribution(start, end, log=log_scale)
    return FloatDistribution(float(start), float(end), log=log_scale)
