"""How the process of a command ends: by an exit code, whenever a signal comes."""

import atexit
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from genlab.errors import Stopped

_STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def exit_codes_to_the_end() -> Iterator[None]:
    """SIGTERM raises Stopped in the block; after it no signal changes the exit code.

    For blocks that end with the process. Where the block takes signals itself, these are for what
    comes before and after.
    """
    process = os.getpid()
    codes: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            raise Stopped("stopped", number)
        signal.signal(number, signal.SIG_DFL)  # a worker ends as ever
        os.kill(os.getpid(), number)

    def end(number: int, frame: FrameType | None) -> None:
        os._exit(codes[0])

    atexit.register(_ignore)  # first of all, so that it runs last
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
        codes.append(0)
    except SystemExit as error:
        codes.append(error.code if isinstance(error.code, int) else int(error.code is not None))
        raise
    except (Stopped, KeyboardInterrupt) as error:  # while another end was told
        codes.append(getattr(error, "exit_code", 128 + signal.SIGINT))
        sys.exit(codes[0])
    except BaseException:
        codes.append(1)
        raise
    finally:  # all is written: a signal only ends the process sooner
        for number in _STOPS:
            signal.signal(number, end)


def _ignore() -> None:
    """What follows runs no handlers of Python, and takes a moment."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)
