"""The many jobs of a multirun: started through any launcher, and a table of them at the end."""

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
SECONDS = 1.0  # between two looks at jobs that other processes are at
_ENTRIES = 10 * ENTRIES  # of the folders of many runs
_UNTOLD = ("running", "died", "not begun")

Launch = Callable[[Sequence[Sequence[str]], int], object]
"""Hydra's launcher: the overrides of jobs and the number of the first of them."""


@dataclass
class Multirun:
    """The folder of a multirun and the jobs that this process has to do there, by number."""

    folder: Path
    jobs: dict[int, Job] = field(default_factory=dict)

    def launch(self, launch: Launch, numbers: Sequence[int]) -> None:
        """Do these jobs, whatever becomes of the launcher's processes.

        A launcher whose process dies gives up its other jobs, too: those that were not begun are
        launched again, then each of those that have not told their end once more by itself.
        """
        if self._tried(launch, numbers):
            return
        left = self._untold(numbers)
        fresh = [number for number in left if not begun(self.jobs[number])]
        if fresh and len(fresh) < len(numbers):
            log.warning("the launcher is started again for %s", counted(len(fresh), "job"))
            self._tried(launch, fresh)
        for number in self._untold(numbers):
            if begun(self.jobs[number]):
                log.warning("job %d is launched again, by itself", number)
                self._tried(launch, [number])

    def _tried(self, launch: Launch, numbers: Sequence[int]) -> bool:
        """Launch jobs; false where the launcher failed, after all that it left behind is done."""
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

    def _untold(self, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if end_of(self.jobs[number]).status in _UNTOLD]


_begun: list[Multirun] = []


def start_over() -> None:
    """Forget multiruns that an error ended, and what was said of their jobs."""
    _begun.clear()
    ConsoleHandler.forget()


def begin(folder: Path) -> Multirun:
    """A multirun whose table `report` gives in this process.

    Raises ConfigError where the folder holds files of somebody else, CheckpointError where links
    or special files lie in it: what is written there could end elsewhere.
    """
    claim(folder, "hydra.sweep.dir", own=("multirun.yaml", "0"), beside=r"\d+")
    require_plain_folder(folder, CheckpointError, most=_ENTRIES, launchers=".submitit")
    _begun.append(Multirun(folder.resolve()))
    return _begun[-1]


def under_way() -> bool:
    """Whether this process has begun a multirun: the processes of launchers have not."""
    return bool(_begun)


def report() -> int:
    """Print the tables of the multiruns begun here and write them as CSV; returns the exit code.

    Of jobs that earlier calls and other processes did in the same folder, too; these have no part
    in the exit code.
    """
    codes = [0]
    while _begun:
        multirun = _begun.pop(0)
        with exclusive(multirun.folder / LOCK):  # the last to write has seen all that have ended
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
    # A terminal has room for the losses; the file has every metric.
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
    """What overrides set, by key; floats in few digits. What leaves a setting out stays whole."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        found[key.lstrip("+") if equals else word] = _short(value)
    return found


def _short(value: str) -> str:
    """A float in as many digits as metrics have, anything else as it is."""
    return number(float(value)) if re.fullmatch(r"-?\d*\.\d+(e[+-]?\d+)?", value) else value


def _name(job: Job, common: set[str]) -> str:
    """What tells a job from others, but for its seed."""
    words = [w for w in job.overrides if w not in common and not w.startswith("seed=")]
    return " ".join(words) or "all"


def number(value: float | None) -> str:
    """A metric in a table, empty for none."""
    return "" if value is None else f"{value:.5g}"
