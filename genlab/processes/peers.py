"""Processes that were started together: what the first one tells the others, and their group.

Until they form a group they look into a store now and then: a look lasts no time, so that a
process reacts to signals while it waits for one that may prepare data for hours.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from genlab import ranks
from genlab.errors import GenlabError, Stopped, WorkerFailed
from genlab.processes import launch
from genlab.processes.store import TIMEOUT_SECONDS, reach_store

if TYPE_CHECKING:
    from torch.distributed import Store

_LOOK_SECONDS = 0.05
_FAREWELL_SECONDS = 5

Order = dict[str, Any]


@dataclass
class Talk:
    """The store, and how far the talk has come: every job has messages of its own."""

    store: "Store"
    job: int = 0
    message: int = 0
    groups: int = 0

    def next(self) -> str:
        """The key of the next message."""
        self.message += 1
        return f"job {self.job} message {self.message}"


_talks: list[Talk] = []


@contextmanager
def leading(explain: Callable[[BaseException], tuple[str, int]]) -> Iterator[None]:
    """What the first process does for all; how it ends is told to the others.

    `explain` gives an error's message and exit code.
    """
    if not launch.launched():
        yield
        return
    talk = _begin()
    try:
        yield
    except BaseException as error:
        message, code = explain(error)
        _tell(talk, {"error": message, "code": code, "stop": isinstance(error, Stopped)})
        _see_off(talk)
        raise
    _tell(talk, {"end": True})
    _see_off(talk)


def order(**what: Any) -> None:
    """Have the others do something, where there are others; values are plain."""
    if launch.launched():
        _tell(_talks[0], what)


@contextmanager
def following() -> Iterator[Iterator[Order]]:
    """What the first process orders, until it has ended; its error is raised here, too."""
    talk = _begin()
    try:
        yield _orders(talk)
    finally:
        with suppress(RuntimeError):  # the first process is gone
            talk.store.set(f"job {talk.job} left by {launch.rank()}", "")


def _orders(talk: Talk) -> Iterator[Order]:
    while True:
        told = _hear(talk, talk.next())
        if "end" in told:
            return
        if "error" in told:
            raise _as_error(told)
        yield told


@contextmanager
def failing_together() -> Iterator[None]:
    """An error in the block ends those that wait for this process, too."""
    try:
        yield
    except (GenlabError, Stopped) as error:
        if launch.launched() and not error.told:
            stop = isinstance(error, Stopped)
            told = {"error": str(error), "code": error.exit_code, "stop": stop}
            talk = _talk()
            talk.store.set(f"job {talk.job} failed", json.dumps(told))
        raise


@contextmanager
def group(kind: str, seconds: float, again: str) -> Iterator[None]:
    """All processes meet and form a group while the block runs, on devices of this kind.

    Who then does not answer for so many seconds ends the others: WorkerFailed, with `again` as the
    mend.
    """
    if not launch.launched():
        yield
        return
    join(kind, seconds)
    try:
        yield
    except RuntimeError as error:
        if not _is_silence(error):
            raise
        raise WorkerFailed(
            f"another process has died, or has not answered for {seconds:g} s "
            f"(trainer.timeout_seconds): {again}"
        ) from error
    finally:
        leave()


def join(kind: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Meet, for as long as it takes, and form a group; nothing where there is one process."""
    from torch import device, distributed

    if not launch.launched() or ranks.together():
        return
    talk = _talk()
    talk.groups += 1
    name = f"job {talk.job} group {talk.groups}"
    talk.store.set(f"{name} {launch.rank()}", "here")
    for other in range(launch.world_size()):
        _wait(talk, f"{name} {other}")
    distributed.init_process_group(
        "nccl" if kind == "cuda" else "gloo",
        store=distributed.PrefixStore(name, talk.store),
        rank=launch.rank(),
        world_size=launch.world_size(),
        timeout=timedelta(seconds=seconds),
        device_id=device(kind, launch.local_rank()) if kind == "cuda" else None,
    )


def leave() -> None:
    """Give the group up, where there is one."""
    from torch import distributed

    if ranks.together():
        distributed.destroy_process_group()


def _begin() -> Talk:
    talk = _talk()
    talk.job, talk.message, talk.groups = talk.job + 1, 0, 0
    return talk


def _talk() -> Talk:
    if not _talks:
        _talks.append(Talk(reach_store()))
    return _talks[0]


def _see_off(talk: Talk) -> None:
    """Give the others time to hear the end: this process may hold the store."""
    left = [f"job {talk.job} left by {rank}" for rank in range(1, launch.world_size())]
    deadline = time.monotonic() + _FAREWELL_SECONDS
    while not talk.store.check(left) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _tell(talk: Talk, told: Order) -> None:
    talk.store.set(talk.next(), json.dumps(told))


def _hear(talk: Talk, key: str) -> Order:
    _wait(talk, key)
    told: Order = json.loads(talk.store.get(key))
    return told


def _wait(talk: Talk, key: str) -> None:
    """Until the key is there; raises what has ended another process meanwhile."""
    failed = f"job {talk.job} failed"
    try:
        while not talk.store.check([key]):
            if talk.store.check([failed]):
                raise _as_error(json.loads(talk.store.get(failed)))
            time.sleep(_LOOK_SECONDS)
    except RuntimeError as error:  # of the store
        raise WorkerFailed(
            "the first process is gone: see what it said, and start the command again"
        ) from error


def _as_error(told: Order) -> BaseException:
    if told["stop"]:
        stopped = Stopped(told["error"], told["code"] - 128)
        stopped.told = True
        return stopped
    error = GenlabError(told["error"])
    error.exit_code, error.told = told["code"], True
    return error


def _is_silence(error: RuntimeError) -> bool:
    """Whether it says that another process does not answer."""
    from torch import distributed

    signs = ("gloo", "pair closure", "Connection closed", "Connection reset", "Broken pipe")
    return isinstance(error, distributed.DistError) or any(sign in str(error) for sign in signs)
