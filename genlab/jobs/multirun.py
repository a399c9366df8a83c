"""The jobs of a multirun: started through any launcher, with a table of results at the end."""

import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from time import sleep

from genlab.console import ConsoleHandler, print_table, say
from genlab.errors import CheckpointError
from genlab.io.files import write_csv
from genlab.io.locks import exclusive
from genlab.io.reading import ENTRIES, require_plain_folder
from genlab.io.secrets import hide, redacted_words
from genlab.jobs.job import Job, all_jobs, begun, end_of
from genlab.runs.claims import claim
from genlab.words import counted

log = logging.getLogger(__name__)

LOCK = ".sweep.lock"
SECONDS = 1.0  # between two checks of jobs that other processes run
_ENTRIES = 10 * ENTRIES  # in the folders of many runs
_UNFINISHED = ("running", "died", "not begun")

Launch = Callable[[Sequence[Sequence[str]], int], object]
"""Hydra's launcher: the overrides of jobs and the number of the first of them."""


@dataclass
class Multirun:
    """The folder of a multirun and the jobs that this process runs there, by number."""

    folder: Path
    jobs: dict[int, Job] = field(default_factory=dict)

    def launch(self, launch: Launch, numbers: Sequence[int]) -> None:
        """Run these jobs, also if processes of the launcher die.

        A launcher whose process dies gives up its other jobs as well: those that were not started
        are launched again, then each job without a result once more by itself.
        """
        if self._launch_all(launch, numbers):
            return
        left = self._unfinished(numbers)
        fresh = [number for number in left if not begun(self.jobs[number])]
        if fresh and len(fresh) < len(numbers):
            log.warning("the launcher is started again for %s", counted(len(fresh), "job"))
            self._launch_all(launch, fresh)
        for number in self._unfinished(numbers):
            if begun(self.jobs[number]):
                log.warning("job %d is launched again, by itself", number)
                self._launch_all(launch, [number])

    def _launch_all(self, launch: Launch, numbers: Sequence[int]) -> bool:
        """Launch jobs; false if the launcher failed, after its remaining jobs have ended."""
        whole = True
        for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
            row = [number for _, number in run]
            try:
                launch([self.jobs[number].overrides for number in row], row[0])
            except Exception as error:  # each launcher has errors of its own
                reason = " ".join(str(error).split())[:200]
                log.error("the launcher failed: %s: %s", type(error).__name__, reason)
                whole = False
                while any(end_of(self.jobs[number]).status == "running" for number in row):
                    sleep(SECONDS)
        return whole

    def _unfinished(self, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if end_of(self.jobs[number]).status in _UNFINISHED]


_begun: list[Multirun] = []


def start_over() -> None:
    """Forget multiruns that were ended by an error, and messages that were shown once."""
    _begun.clear()
    ConsoleHandler.forget()


def begin(folder: Path) -> Multirun:
    """Begin a multirun in this process; `report` prints its table.

    Raises ConfigError if the folder contains other files, CheckpointError for links or special
    files in it, through which files elsewhere could be written.
    """
    claim(folder, "hydra.sweep.dir", own=("multirun.yaml", "0"), beside=r"\d+")
    require_plain_folder(folder, CheckpointError, most=_ENTRIES, launchers=".submitit")
    _begun.append(Multirun(folder.resolve()))
    return _begun[-1]


def under_way() -> bool:
    """Whether this process has begun a multirun; processes of launchers have not."""
    return bool(_begun)


def report() -> int:
    """Print the tables of multiruns begun here and write them as CSV; returns the exit code.

    They include jobs of earlier calls and other processes in the same folder, which do not affect
    the exit code.
    """
    codes = [0]
    while _begun:
        multirun = _begun.pop(0)
        with exclusive(multirun.folder / LOCK):  # so that the last table includes all results
            jobs = all_jobs(multirun.folder, multirun.jobs.values())
            if jobs:
                _write(multirun.folder, jobs)
        own = {job.path for job in multirun.jobs.values()}
        codes += [job.exit_code for job in jobs if job.path in own]
    return max(codes)


def _write(folder: Path, jobs: Sequence[Job]) -> None:
    from genlab.jobs.report import write_report, write_table

    for job in jobs:
        job.overrides = redacted_words(job.overrides)
    common = set.intersection(*(set(job.overrides) for job in jobs)) if len(jobs) > 1 else set()
    names = list(dict.fromkeys(name for job in jobs for name in job.metrics))
    varied = [_settings(word for word in job.overrides if word not in common) for job in jobs]
    keys = list(dict.fromkeys(key for settings in varied for key in settings))
    rows = [
        [
            *(settings.get(key, "") for key in keys),
            job.status,
            *(number(job.metrics.get(name)) for name in names),
            os.path.relpath(job.path),
            hide(job.error),
        ]
        for job, settings in zip(jobs, varied, strict=True)
    ]
    header = [*keys, "status", *names, "run folder", "error"]
    # The terminal shows losses only; the file has every metric.
    objectives = {job.objective for job in jobs}
    shown = [
        i
        for i, name in enumerate(header)
        if i < len(keys) or "/" not in name or name.endswith("loss") or name in objectives
    ]
    print_table([header[i] for i in shown], [[row[i] for i in shown] for row in rows])
    write_csv(folder / "sweep.csv", [header, *rows])
    say(f"table: {folder / 'sweep.csv'}")
    wanted = next((job.report for job in jobs if job.report), None)
    if wanted and wanted.table is not None:
        write_table(wanted.table, [(_name(job, common), job.metrics) for job in jobs], folder)
    elif wanted:
        write_report(wanted, [(job.settings, job.metrics) for job in jobs if job.metrics], folder)


def _settings(words: Iterable[str]) -> dict[str, str]:
    """The values of overrides by key, floats in few digits; deletions are kept as they are."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        found[key.lstrip("+") if equals else word] = _short(value)
    return found


def _short(value: str) -> str:
    """A float with as many digits as metrics; other values unchanged."""
    return number(float(value)) if re.fullmatch(r"-?\d*\.\d+(e[+-]?\d+)?", value) else value


def _name(job: Job, common: set[str]) -> str:
    """The overrides that distinguish a job from others, without its seed."""
    words = [w for w in job.overrides if w not in common and not w.startswith("seed=")]
    return " ".join(words) or "all"


def number(value: float | None) -> str:
    """A metric in a table; empty for None."""
    return "" if value is None else f"{value:.5g}"
