"""Jobs of a multirun and their results, each in a file in its own run folder.

Launchers run jobs in other processes and on other machines, so results are not kept in memory.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from genlab.config.parts import read_part
from genlab.config.run import Report
from genlab.errors import CheckpointError, ConfigError, WorkerFailed
from genlab.io.files import write_text
from genlab.io.reading import read_json
from genlab.io.schemas import COUNT, MAPPING, NUMBER, TEXT, Kind
from genlab.io.secrets import redacted, redacted_words
from genlab.runs.run_folder import LOCK, RunFolder

REPORT = "job.json"
ENDS = ("done", "pruned", "stopped", "failed")

_SCHEMA = {
    "overrides": [TEXT],
    "status": Kind(f"one of {', '.join(ENDS)}", lambda status: status in ENDS),
    "error": TEXT,
    "exit_code": COUNT,
    "metrics": {str: NUMBER},
    "objective": Kind("text or null", lambda name: name is None or isinstance(name, str)),
    "report": Kind("a mapping or null", lambda report: report is None or MAPPING.holds(report)),
    "settings": MAPPING,
}


@dataclass
class Job:
    """One job and its result.

    `settings` are those that the multirun's `report` needs, by dotted name.
    """

    path: Path
    overrides: list[str]
    status: str = "done"
    error: str = ""
    exit_code: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    objective: str | None = None
    report: Report | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def write(self) -> None:
        """Write the report into the run folder, which is created."""
        self.path.mkdir(parents=True, exist_ok=True)
        content = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "path"}
        content["report"] = self.report and self.report.plain
        content["overrides"] = redacted_words(self.overrides)
        write_text(self.path / REPORT, json.dumps(redacted(content), indent=2) + "\n")


def read_job(path: Path) -> Job | None:
    """The job that a run folder reports; None without a report, CheckpointError if invalid."""
    file = path / REPORT
    if not file.exists():
        return None
    content = read_json(file, CheckpointError, _SCHEMA)
    job = Job(path, **{name: content[name] for name in _SCHEMA})
    try:
        job.report = None if job.report is None else read_part(Report, job.report, "report")
    except ConfigError as error:
        raise CheckpointError(f"{file}: {error}") from error
    job.metrics = {name: float(value) for name, value in job.metrics.items()}
    return job


def end_of(job: Job) -> Job:
    """The result of a job: its report, or that it is running, died, or was never started."""
    try:
        if found := read_job(job.path):
            return found
    except CheckpointError as error:
        return Job(job.path, job.overrides, "failed", str(error), CheckpointError.exit_code)
    folder = RunFolder(job.path)
    if folder.is_locked:
        return Job(job.path, job.overrides, "running", "another process is training it")
    if begun(job):
        message = "ended without a report: run the same sweep again to continue it"
        return Job(job.path, job.overrides, "died", message, WorkerFailed.exit_code)
    return Job(job.path, job.overrides, "not begun", "", WorkerFailed.exit_code)


def begun(job: Job) -> bool:
    """Whether a process has ever worked in the job's folder."""
    return (job.path / LOCK).exists() or RunFolder(job.path).exists


def all_jobs(folder: Path, expected: Iterable[Job]) -> list[Job]:
    """The results of the expected jobs and of any others in the multirun's folder.

    In the order of their numbers if folders are named by these, else the others come last.
    """
    jobs = {job.path: end_of(job) for job in expected}
    depths = {len(path.relative_to(folder).parts) for path in jobs if folder in path.parents}
    for depth in sorted(depths or {1}):
        for file in sorted(folder.glob("/".join(["*"] * depth + [REPORT]))):
            if file.parent not in jobs:
                jobs[file.parent] = end_of(Job(file.parent, []))
    found = list(jobs.values())
    if all(job.path.name.isdecimal() and job.path.parent == folder for job in found):
        found.sort(key=lambda job: int(job.path.name))
    return found


def objective_value(job: Job) -> float | None:
    """The job's value of the search's objective; None without a finite one."""
    value = job.metrics.get(job.objective or "")
    return value if job.status == "done" and value is not None and math.isfinite(value) else None
