import logging
import os
from pathlib import Path

import pytest

from genlab.errors import CheckpointError
from genlab.runs.finding import find_run, remember, runs_of
from genlab.runs.run_folder import RunFolder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "one")
    return tmp_path


def started(path: Path, seconds: int) -> Path:
    """A run folder whose run was started at this second."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text("{}")
    os.utime(path / "config.yaml", (seconds, seconds))
    return path


def test_last_is_the_newest_run_of_the_current_folder(place: Path, monkeypatch) -> None:
    older, newer = started(place / "one/runs/b", 100), started(place / "one/sweeps/s/a", 200)
    elsewhere = started(place / "other/runs/c", 300)
    with monkeypatch.context() as there:
        there.chdir(place / "other")
        remember(RunFolder(elsewhere))
    assert find_run("last").path == newer
    os.utime(older / "config.yaml", (400, 400))
    assert find_run("last").path == older


def test_last_is_the_newest_run_of_all_where_the_folder_has_none(place: Path, monkeypatch) -> None:
    with pytest.raises(CheckpointError, match="no run has been started yet"):
        find_run("last")
    elsewhere = started(place / "other/runs/c", 300)
    with monkeypatch.context() as there:
        there.chdir(place / "other")
        remember(RunFolder(elsewhere))
    assert find_run("last").path == elsewhere


def test_a_run_started_here_with_a_folder_of_its_own_is_the_last_one(place: Path) -> None:
    older, named = started(place / "one/runs/a", 100), started(place / "elsewhere/run", 200)
    remember(RunFolder(named))
    assert find_run("last").path == named
    (named / "config.yaml").unlink()
    assert find_run("last").path == older


def test_the_run_that_last_chooses_is_said(place: Path, caplog) -> None:
    run = started(place / "one/runs/a", 100)
    with caplog.at_level(logging.INFO):
        find_run("last")
        find_run(str(run))
    assert [record.getMessage() for record in caplog.records] == [f"run=last: {run}"]


def test_runs_of_a_folder_are_those_of_runs_and_sweeps(place: Path) -> None:
    first, second = started(place / "one/sweeps/s/0", 1), started(place / "one/runs/a", 2)
    started(place / "one/other/a", 3)
    assert runs_of(place / "one") == [second, first]
