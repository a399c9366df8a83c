"""Jobs of `genlab train`: one, or one of the many of a multirun."""

import logging
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from genlab.callbacks.listener import objective_among
from genlab.config.checks import checked
from genlab.config.entries import check_data, check_numbers, check_parts
from genlab.config.parts import flatten
from genlab.config.run import RunConfig
from genlab.config.scale import scaled
from genlab.console import print_table, say
from genlab.errors import ConfigError, GenlabError, Locked, Pruned, Stopped
from genlab.jobs import multirun
from genlab.jobs.job import REPORT, Job
from genlab.processes import launch, peers
from genlab.runs.run_folder import RunFolder, new_folder
from genlab.training.failures import explained

if TYPE_CHECKING:
    from genlab.jobs.prerequisites import Prepared

log = logging.getLogger(__name__)


def run_job(config: DictConfig) -> float | None:
    """Train one job; in a multirun a failure is reported and the other jobs continue.

    Returns the objective of a search, see `objective` in configs/train.yaml.
    """
    hydra = HydraConfig.get()
    path = Path(hydra.runtime.output_dir)
    many = hydra.mode is RunMode.MULTIRUN
    named = any(word.startswith("hydra.run.dir=") for word in hydra.overrides.hydra)
    if not many and not launch.launched() and not named and config.resume is None:
        path = new_folder(path)
    try:
        if launch.rank() > 0:
            _follow(many)
            return None
        if many:
            return _run_one_of_many(config, path)
        RunFolder(path).claim()
        with peers.leading(message_and_code):
            known, overrides = _settings(config, path)
            summary = _trained(known, path, overrides, go_on=known.resume is not None)
        print_end(path, summary)
        return None
    finally:
        RunFolder(path).remove_if_empty()


def _follow(many: bool) -> None:
    """Take part in the first process's jobs; in a multirun its failures do not end this process."""
    from genlab.jobs import train as training

    try:
        training.follow()
    except GenlabError as error:
        if not many or not error.reported:
            raise


def message_and_code(error: BaseException) -> tuple[str, int]:
    """The message for the other processes about an error, and the exit code of all."""
    if isinstance(error, Stopped):
        return str(error), error.exit_code
    if isinstance(error, Exception):
        return explained(error, sys.argv)
    return type(error).__name__, GenlabError.exit_code


def _settings(config: DictConfig, place: Path) -> "Prepared":
    """The resolved config and its overrides; runs that it needs first are in `place`."""
    from genlab.jobs.prerequisites import with_runs_before

    hydra = HydraConfig.get()
    if config.resume not in (None, "auto"):
        raise ConfigError(f"resume={config.resume} must be on the command line")
    sources = hydra.runtime.config_sources  # known in a launcher's process as well
    folders = [f"--config-dir={source.path}" for source in sources if source.provider == "user"]
    overrides = [*hydra.overrides.task, *folders[:1]]
    return with_runs_before(resolved(config), overrides, place)


def resolved(config: DictConfig) -> RunConfig:
    """A composed config with its scale resolved and all settings checked."""
    from genlab.training.settings import check_settings, total_processes

    raw: Any = OmegaConf.to_container(config)
    check_parts(raw)
    check_numbers("", raw)
    check_data(raw)
    found = checked(scaled(config, total_processes(config.trainer)))
    check_settings(found)  # before other runs are trained for this one
    return found


def _trained(config: RunConfig, path: Path, overrides: list[str], go_on: bool) -> dict[str, Any]:
    from genlab.jobs import train as training

    return training.train(config, path, overrides, go_on)


def _run_one_of_many(config: DictConfig, path: Path) -> float | None:
    """Train a job of a multirun and write its result to its folder."""
    hydra = HydraConfig.get()
    if not multirun.under_way() and hydra.launcher._target_.endswith(".BasicLauncher"):
        multirun.begin(Path(hydra.sweep.dir))  # for a sweeper of others
    job = Job(path, list(hydra.overrides.task))
    if not RunFolder(path).is_locked:
        (path / REPORT).unlink(missing_ok=True)  # of an earlier call
    try:
        with peers.leading(message_and_code):
            known, overrides = _settings(config, path.parent)
            _describe(job, known)
            summary = _unless_held(known, path, overrides)
        job.metrics = {**summary.get("metrics", {}), "seconds": summary.get("seconds", 0.0)}
        _require_objective(job)
    except Locked as error:
        log.warning("job %s is left to the process that trains it: %s", path.name, error)
        return None
    except Stopped as error:
        job.status, job.error, job.exit_code = "stopped", str(error), error.exit_code
        job.write()
        multirun.report()
        raise SystemExit(error.exit_code) from error
    except Pruned as error:
        job.status, job.error = "pruned", str(error)
    except Exception as error:
        message, code = explained(error, ["train", *hydra.overrides.task])
        job.status, job.error, job.exit_code = "failed", message, code
        log.error("job %s failed: %s", path.name, message)
    job.write()
    name = objective_among(job.metrics, job.objective)
    return None if name is None else job.metrics[name]


def _describe(job: Job, config: RunConfig) -> None:
    """Set what a multirun's table needs of the job."""
    job.objective, job.report = config.objective, config.report
    if config.report and config.report.table is None:
        settings = dict(flatten(config.plain))
        job.settings = {key: settings.get(key) for key in config.report.settings}


def _unless_held(config: RunConfig, path: Path, overrides: list[str]) -> dict[str, Any]:
    """Train; Locked if another process does, but not if one only checks the lock."""
    for _ in range(5):
        try:
            return _trained(config, path, overrides, go_on=True)
        except Locked:
            time.sleep(0.1)
    return _trained(config, path, overrides, go_on=True)


def _require_objective(job: Job) -> None:
    """Raise ConfigError for a trial of a search that did not record the objective."""
    searching = "optuna" in HydraConfig.get().sweeper._target_
    if searching and objective_among(job.metrics, job.objective) is None:
        known = ", ".join(job.metrics)
        raise ConfigError(
            f"objective={job.objective}: there is no such metric; set it to one of {known}"
        )


def print_end(path: Path, summary: dict[str, Any]) -> None:
    """Print the results and files of a run; nothing without a summary."""
    if not summary:
        return
    rows = [
        ["images seen", f"{summary['images_seen']:,}"],
        ["seconds", f"{summary['seconds']:,.1f}"],
        ["images/s", f"{summary['images_per_second']:,.0f}"],
        *([name, multirun.number(value)] for name, value in summary["metrics"].items()),
    ]
    print_table(["", ""], rows)
    for name, what in (
        ("samples", "images"),
        ("reconstructions", "reconstructions"),
        ("weights.safetensors", "weights"),
        ("metrics.csv", "metrics"),
        ("losses.png", "losses"),
    ):
        if (path / name).exists():
            say(f"{what + ':':<17}{path / name}")
    say(f"{'run folder:':<17}{path}")
    say(f"{'next:':<17}genlab {next_command(path)}")


_NEXT = {"Shrunk": "upscale {} image=PATH", "Holes": "inpaint {} image=PATH mask=PATH"}


def next_command(path: Path) -> str:
    """The command, with its settings, that shows what a run has learned."""
    run = f"run={_named(path)}"
    config = RunFolder(path).config()
    if config.kind in ("Translation", "CycleConsistency"):
        return _NEXT.get(config.view, "translate {} image=PATH").format(run)
    if (path / "samples").exists():
        return f"sample {run}"
    return f"reconstruct {run}" if (path / "reconstructions").exists() else f"evaluate {run}"


def _named(path: Path) -> str:
    """The run folder as a word for a shell, relative if it is inside the current folder."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
