"""What signals ask of this process: SIGINT and SIGTERM to stop, SIGUSR1 to save and go on."""

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
REPEAT_SECONDS = 1.0  # a signal comes twice where a shell or a wrapper passes it on, too
RANK_REPEAT_SECONDS = 15.0  # launcher, scheduler and kernel all signal every process of a run

Act = Callable[[int], None]


@dataclass
class Asked:
    """What signals have asked for so far."""

    stop: int = 0  # the first signal's number
    since: float = 0.0
    save: bool = False
    listeners: int = 0


_asked = Asked()


def stop_asked() -> int:
    """The signal that asked this process to stop, 0 for none."""
    return _asked.stop


def take_save() -> bool:
    """Whether SIGUSR1 came since this was last asked."""
    wanted, _asked.save = _asked.save, False
    return wanted


def end_at_once(number: int) -> None:
    """End this process as the signal does where nobody listens."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextmanager
def listening(on_stop: Act, again: Act = end_at_once, on_save: Act | None = None) -> Iterator[None]:
    """The first SIGINT or SIGTERM calls `on_stop` with its number, which may raise.

    One that follows within seconds is a repeat of the first and does nothing; a later one calls
    `again`. SIGUSR1 is kept for `take_save` and passed to `on_save`.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        repeat = RANK_REPEAT_SECONDS if launch.launched() else REPEAT_SECONDS
        if not _asked.stop:
            _asked.stop, _asked.since = number, now
            on_stop(number)
        elif now - _asked.since > repeat:
            again(number)

    def save(number: int, frame: FrameType | None) -> None:
        _asked.save = True
        if on_save:
            on_save(number)

    if not _asked.listeners:
        _asked.stop = 0
    _asked.listeners += 1
    before = {}
    if threading.current_thread() is threading.main_thread():  # Python's rule: others hear none
        before = {number: signal.signal(number, stop) for number in STOPS}
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, save)
    try:
        yield
    finally:
        _asked.listeners -= 1
        for number, handler in before.items():
            signal.signal(number, handler)
