"""Jobs whose launcher's processes fail, hang or are killed; the files by which jobs are told."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from genlab.errors import CheckpointError
from genlab.jobs import multirun
from genlab.jobs.job import REPORT, Job, all_jobs, end_of, read_job
from genlab.runs.run_folder import RunFolder

# A job in a process of its own: it holds its folder and, at its second try, tells its end.
JOB = """
import os, signal, sys
from pathlib import Path
from genlab.jobs.job import Job
from genlab.runs.run_folder import RunFolder
path, deadly = Path(sys.argv[1]), sys.argv[2]
path.mkdir(exist_ok=True)
folder = RunFolder(path)
folder.lock()
tries = path / "tries"
tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
(path / "config.yaml").touch()
if deadly == "always" or (deadly == "once" and tries.read_text() == "x"):
    os.kill(os.getpid(), signal.SIGKILL)
Job(path, [path.name], metrics={"validation/loss": 0.5}).write()
"""


class Launcher:
    """Runs jobs one after another in processes; gives up all others where one is killed."""

    def __init__(self, folder: Path, deadly: dict[int, str]) -> None:
        self.folder = folder
        self.deadly = deadly
        self.calls: list[list[int]] = []

    def __call__(self, overrides: Sequence[Sequence[str]], first: int) -> None:
        numbers = list(range(first, first + len(overrides)))
        self.calls.append(numbers)
        for number in numbers:
            command = [sys.executable, "-c", JOB, str(self.folder / str(number))]
            code = subprocess.run([*command, self.deadly.get(number, "never")]).returncode
            if code == -signal.SIGKILL:
                raise RuntimeError("a worker was killed")


def run(folder: Path, deadly: dict[int, str], count: int = 4) -> tuple[Launcher, int]:
    """The launcher after a multirun of so many jobs, and its exit code."""
    launcher = Launcher(folder, deadly)
    jobs = multirun.begin(folder)
    jobs.jobs.update({n: Job(folder / str(n), [f"seed={n}"]) for n in range(count)})
    jobs.launch(launcher, range(count))
    return launcher, multirun.report()


def test_a_killed_job_does_not_stop_the_others_and_gets_a_second_try(tmp_path: Path) -> None:
    launcher, code = run(tmp_path, {1: "once"})
    assert launcher.calls == [[0, 1, 2, 3], [2, 3], [1]]
    assert code == 0
    assert (tmp_path / "sweep.csv").read_text().count(",done,") == 4


def test_a_job_that_is_killed_again_has_died(tmp_path: Path, capsys) -> None:
    launcher, code = run(tmp_path, {0: "always"}, count=2)
    assert launcher.calls == [[0, 1], [1], [0]]
    assert code == 7
    lines = (tmp_path / "sweep.csv").read_text().splitlines()
    assert lines[1].startswith("0,,died,")
    assert "run the same sweep again to continue it" in lines[1]
    assert lines[2].startswith(",,done,0.5,")


def test_a_launcher_that_does_nothing_leaves_jobs_not_begun(tmp_path: Path) -> None:
    def broken(overrides: Sequence[Sequence[str]], first: int) -> None:
        raise OSError("no such queue")

    jobs = multirun.begin(tmp_path)
    jobs.jobs[0] = Job(tmp_path / "0", ["seed=0"])
    jobs.launch(broken, [0])
    assert multirun.report() == 7
    assert ",not begun," in (tmp_path / "sweep.csv").read_text()


def test_the_table_has_jobs_of_earlier_calls_which_do_not_count(tmp_path: Path) -> None:
    Job(tmp_path / "10", ["seed=10"], "failed", "no such luck", 3).write()
    Job(tmp_path / "2", ["seed=2"], metrics={"train/loss": 1.0}).write()
    jobs = multirun.begin(tmp_path)
    jobs.jobs[1] = Job(tmp_path / "1", ["seed=1"])
    Job(tmp_path / "1", ["seed=1"]).write()
    assert multirun.report() == 0
    lines = (tmp_path / "sweep.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "10"]


def test_jobs_in_deeper_folders_are_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Job(tmp_path / "model" / name, [name]).write()
    found = all_jobs(tmp_path, [Job(tmp_path / "model" / "b", ["b"])])
    assert [job.overrides for job in found] == [["b"], ["a"]]


def test_a_job_that_another_process_is_at_is_running(tmp_path: Path) -> None:
    job = Job(tmp_path / "0", [])
    job.path.mkdir()
    folder = RunFolder(job.path)
    folder.lock()
    assert end_of(job).status == "running"
    folder.release()
    assert end_of(job).status == "not begun"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "splendid"},
        {"metrics": {"loss": "low"}},
        {"metrics": 3},
        {"exit_code": "0"},
        {"overrides": "seed=1"},
        {"overrides": [1]},
        {"report": "all"},
    ],
)
def test_a_report_of_another_kind_is_refused(tmp_path: Path, change: dict) -> None:
    job = Job(tmp_path, ["seed=1"])
    job.write()
    assert read_job(tmp_path) == job
    content = json.loads((tmp_path / REPORT).read_text())
    (tmp_path / REPORT).write_text(json.dumps(content | change))
    with pytest.raises(CheckpointError, match=r"job.json: "):
        read_job(tmp_path)
    assert end_of(job).status == "failed"


def test_a_report_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / REPORT)
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_job(tmp_path)
