"""Locks between real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from genlab.io.locks import LockFile, exclusive

HOLD = """
import sys, time
from pathlib import Path
from genlab.io.locks import LockFile
LockFile(Path(sys.argv[1])).take()
print("held", flush=True)
time.sleep(60)
"""
COUNT = """
import sys
from pathlib import Path
from genlab.io.locks import exclusive
lock, number = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(200):
    with exclusive(lock):
        number.write_text(str(int(number.read_text()) + 1))
"""


def test_a_living_holder_keeps_a_lock_and_a_killed_one_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        lock = LockFile(path)
        assert not lock.take(wait=False)
        told: list[str] = []
        threading.Timer(0.3, os.kill, (holder.pid, signal.SIGKILL)).start()
        started = time.monotonic()
        with exclusive(path, lambda: told.append("waiting")):
            assert time.monotonic() - started >= 0.25
    assert told == ["waiting"]
    assert not path.exists()


def test_a_lock_that_comes_and_goes_lets_in_one_at_a_time(tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / ".lock"), str(number)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert number.read_text() == "600"


def test_where_there_are_no_locks_everybody_gets_in(tmp_path: Path, monkeypatch) -> None:
    def refuse(descriptor: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with exclusive(tmp_path / ".lock"), exclusive(tmp_path / ".lock"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), exclusive(tmp_path / ".lock"):
        pass
