"""What is shown of long work: nothing of short work, and nothing within programs of others."""

import logging
import sys

import pytest
import torch

from genlab.console import ConsoleHandler
from genlab.data import progress
from genlab.data.progress import late_progress, tracked, tracked_steps


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are read; the last one stays."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[-1])
    return now


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [ConsoleHandler()])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)


def test_long_work_of_a_command_is_said_once(
    clock, command, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "genlab")
    said = []
    logging.getLogger("genlab.data.progress").addFilter(lambda r: said.append(r.getMessage()))
    with late_progress("encoding", 100) as advance:
        advance(10)
        assert said == []
        clock.append(2.5)
        advance(10)
        advance(10)
    assert said == ["encoding: 100 images"]
    logging.getLogger("genlab.data.progress").filters.clear()


def test_programs_of_others_are_told_nothing(
    clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])
    caplog.set_level(logging.INFO, "genlab")
    with late_progress("encoding", 100) as advance:
        clock.append(60.0)
        advance(10)
    assert caplog.messages == []


def test_all_batches_and_steps_come_through() -> None:
    batches = torch.arange(10).split(4)
    assert [part.tolist() for part in tracked("encoding", batches)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert list(tracked_steps("searching", 3)) == [0, 1, 2]
