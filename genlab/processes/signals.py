"""Signal handling: SIGINT and SIGTERM stop a run, SIGUSR1 saves a checkpoint."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from genlab.processes import launch

STOPS = (signal.SIGINT, signal.SIGTERM)
REPEAT_SECONDS = 1.0  # a signal comes twice if a shell or a wrapper passes it on as well
RANK_REPEAT_SECONDS = 15.0  # launcher, scheduler and kernel all signal every process of a run

Act = Callable[[int], None]


@dataclass
class SignalState:
    """What the signals received so far ask for."""

    stop: int = 0  # the first signal's number
    since: float = 0.0
    save: bool = False
    listeners: int = 0


_state = SignalState()


def stop_asked() -> int:
    """The number of the signal that asked this process to stop, 0 for none."""
    return _state.stop


def take_save() -> bool:
    """Whether SIGUSR1 came since the last call."""
    wanted, _state.save = _state.save, False
    return wanted


def end_at_once(number: int) -> None:
    """End this process as the signal does without a handler."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextmanager
def listening(on_stop: Act, again: Act = end_at_once, on_save: Act | None = None) -> Iterator[None]:
    """The first SIGINT or SIGTERM calls `on_stop` with its number, which may raise.

    Another one within seconds counts as a repeat and does nothing; a later one calls `again`.
    SIGUSR1 is recorded for `take_save` and passed to `on_save`.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        repeat = RANK_REPEAT_SECONDS if launch.launched() else REPEAT_SECONDS
        if not _state.stop:
            _state.stop, _state.since = number, now
            on_stop(number)
        elif now - _state.since > repeat:
            again(number)

    def save(number: int, frame: FrameType | None) -> None:
        _state.save = True
        if on_save:
            on_save(number)

    if not _state.listeners:
        _state.stop = 0
    _state.listeners += 1
    before = {}
    if (
        threading.current_thread() is threading.main_thread()
    ):  # Python's rule: only this one can set handlers
        before = {number: signal.signal(number, stop) for number in STOPS}
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, save)
    try:
        yield
    finally:
        _state.listeners -= 1
        for number, handler in before.items():
            signal.signal(number, handler)
