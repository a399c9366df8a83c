"""Jobs of `genlab train`: one, or the many of a multirun with a table at the end."""

import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from genlab import launch
from genlab.config import user_folders
from genlab.console import print_table, say
from genlab.curves import write_report, write_table
from genlab.errors import ConfigError, GenlabError, Pruned, Stopped
from genlab.files import write_csv
from genlab.runs import RunFolder, unused
from genlab.search import listener, objective_among
from genlab.sizes import sized

log = logging.getLogger(__name__)


@dataclass
class Job:
    """One job of a multirun and how it ended."""

    overrides: list[str]
    path: Path
    status: str = "done"
    error: str = ""
    exit_code: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


_jobs: list[Job] = []


def run_job(config: DictConfig) -> float | None:
    """Train one job; in a multirun its failure is noted and the others go on.

    Returns what a search looks at; see `objective` in configs/train.yaml.
    """
    hydra = HydraConfig.get()
    path = Path(hydra.runtime.output_dir)
    single = hydra.mode is not RunMode.MULTIRUN and not launch.launched()
    named = any(word.startswith("hydra.run.dir=") for word in hydra.overrides.hydra)
    if single and not named and config.resume is None:
        path = unused(path)
    try:
        return _run_job(config, path)
    finally:
        RunFolder(path).remove_if_empty()


def _run_job(config: DictConfig, path: Path) -> float | None:
    from genlab import train as training
    from genlab.preliminaries import with_runs_before
    from genlab.settings import together

    hydra = HydraConfig.get()
    folders = [f"--config-dir={folder}" for folder in user_folders(sys.argv)[:1]]
    overrides = [*hydra.overrides.task, *folders]
    plain: Any = OmegaConf.to_container(
        sized(config, together(config)), resolve=True, throw_on_missing=True
    )
    if hydra.mode is not RunMode.MULTIRUN:
        go_on = plain["resume"] is not None
        plain, overrides = with_runs_before(plain, overrides, path)
        _print_end(path, training.train(plain, path, overrides, go_on))
        return None
    job = Job(list(hydra.overrides.task), path, config=plain)
    _jobs.append(job)
    try:
        plain, overrides = with_runs_before(plain, overrides, path.parent)
        summary = training.train(plain, path, overrides, go_on=True)
        job.metrics = {**summary.get("metrics", {}), "seconds": summary.get("seconds", 0.0)}
    except Stopped as error:
        job.status, job.exit_code = "stopped", error.exit_code
        report()
        raise SystemExit(error.exit_code) from error
    except Pruned as error:
        job.status, job.error = "pruned", str(error)
    except Exception as error:
        code = error.exit_code if isinstance(error, GenlabError) else GenlabError.exit_code
        job.status, job.error, job.exit_code = "failed", str(error), code
        log.error("job %s failed: %s", path.name, error)
    return _objective(job, plain["objective"])


def report() -> int:
    """Print the table of a multirun's jobs and write it as CSV; returns the exit code."""
    if not _jobs:
        return 0
    common = set.intersection(*(set(job.overrides) for job in _jobs)) if len(_jobs) > 1 else set()
    names = list(dict.fromkeys(name for job in _jobs for name in job.metrics))
    rows = [
        [
            " ".join(word for word in job.overrides if word not in common),
            job.status,
            *(_number(job.metrics.get(name)) for name in names),
            os.path.relpath(job.path),
            job.error,
        ]
        for job in _jobs
    ]
    header = ["job", "status", *names, "run folder", "error"]
    # A terminal has room for the losses; the file has every metric.
    objective = _jobs[0].config.get("objective")
    shown = [
        i
        for i, name in enumerate(header)
        if "/" not in name or name.endswith("loss") or name == objective
    ]
    print_table([header[i] for i in shown], [[row[i] for i in shown] for row in rows])
    folder = _jobs[0].path.parent
    file = folder / "sweep.csv"
    write_csv(file, [header, *rows])
    say(f"table: {file}")
    wanted = _jobs[0].config.get("report")
    if wanted and "table" in wanted:
        write_table(wanted["table"], [(_name(job, common), job.metrics) for job in _jobs], folder)
    elif wanted:
        write_report(wanted, [(job.config, job.metrics) for job in _jobs], folder)
    code = max(job.exit_code for job in _jobs)
    _jobs.clear()
    return code


def _name(job: Job, common: set[str]) -> str:
    """What tells a job from others, but for its seed."""
    words = [w for w in job.overrides if w not in common and not w.startswith("seed=")]
    return " ".join(words) or "all"


def _objective(job: Job, wanted: str | None) -> float | None:
    """What a search looks at; a job that should have it and does not has failed."""
    name = objective_among(job.metrics, wanted)
    if name is None and job.status == "done" and listener():
        known = ", ".join(job.metrics)
        job.status, job.exit_code = "failed", ConfigError.exit_code
        job.error = f"objective={wanted}: there is no such metric; set it to one of {known}"
        log.error("job %s failed: %s", job.path.name, job.error)
    return None if name is None else job.metrics[name]


def _print_end(path: Path, summary: dict[str, Any]) -> None:
    if not summary:
        return
    rows = [
        ["images seen", f"{summary['images_seen']:,}"],
        ["seconds", f"{summary['seconds']:,.1f}"],
        ["images/s", f"{summary['images_per_second']:,.0f}"],
        *([name, _number(value)] for name, value in summary["metrics"].items()),
    ]
    print_table(["", ""], rows)
    for name, what in (
        ("samples", "pictures"),
        ("reconstructions", "reconstructions"),
        ("weights.safetensors", "weights"),
        ("metrics.csv", "metrics"),
    ):
        if (path / name).exists():
            say(f"{what + ':':<17}{path / name}")
    say(f"{'run folder:':<17}{path}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
