import os
import socket
from pathlib import Path

import pytest

from genlab.errors import CheckpointError
from genlab.runs.finding import find_run, remember
from genlab.runs.run_folder import RunFolder, new_folder


def test_two_runs_of_one_moment_have_a_folder_each(tmp_path: Path) -> None:
    taken = [new_folder(tmp_path / "run") for _ in range(3)]
    assert [path.name for path in taken] == ["run", "run_2", "run_3"]


def test_a_folder_is_left_by_a_run_that_never_started_and_by_no_other(tmp_path: Path) -> None:
    never, started = new_folder(tmp_path / "run"), new_folder(tmp_path / "run")
    (started / "config.yaml").touch()
    for path in (never, started):
        RunFolder(path).remove_if_empty()
    assert not never.exists()
    assert (started / ".lock").exists()
    assert new_folder(tmp_path / "run") == never


def foreign(folder: Path, kind: str) -> Path:
    """A run folder of config.yaml alone, with something in it that no run writes."""
    (folder / "run" / "samples").mkdir(parents=True)
    (folder / "run" / "config.yaml").write_text("{}")
    path = folder / "run" / "samples" / "thing"
    if kind == "link":
        path.symlink_to(folder)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(str(path.relative_to(Path.cwd())))
    return folder / "run"


@pytest.mark.parametrize("kind", ["link", "pipe", "socket"])
def test_links_and_pipes_in_a_run_folder_are_refused(kind: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    run = foreign(tmp_path, kind)
    for use in (lambda: find_run(str(run)), RunFolder(run).lock):
        with pytest.raises(CheckpointError, match=r"thing is a .*, which no run writes: remove it"):
            use()
    assert not (run / ".lock").exists()


def test_a_run_is_reached_through_a_link(tmp_path: Path) -> None:
    run = foreign(tmp_path, "nothing")
    (tmp_path / "link").symlink_to(run)
    assert find_run(str(tmp_path / "link")).path == run


def test_the_best_weights_are_not_looked_for_behind_a_link(tmp_path: Path) -> None:
    run = foreign(tmp_path, "nothing")
    (run / "best.safetensors").symlink_to(foreign(tmp_path / "other", "nothing") / "config.yaml")
    with pytest.raises(CheckpointError, match=r"best\.safetensors is a link"):
        find_run(str(run / "best.safetensors"))


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff", b"x" * 5000])
def test_a_damaged_pointer_to_the_last_run_is_one_line(content: bytes, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genlab").mkdir()
    (tmp_path / "genlab" / "last_run").write_bytes(content)
    with pytest.raises(CheckpointError) as refused:
        find_run("last")
    assert "\n" not in str(refused.value)


def test_parts_of_the_pointer_to_the_last_run_do_not_stay(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "genlab").mkdir()
    left, fresh = (tmp_path / "genlab" / f"last_run.{n}.part" for n in ("0a1b", "2c3d"))
    for part in (left, fresh):
        part.touch()
    os.utime(left, (0, 0))
    remember(RunFolder(tmp_path / "run"))
    assert not left.exists()
    assert fresh.exists()  # another process may be writing it
