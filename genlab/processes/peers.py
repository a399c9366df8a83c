"""Messages from the first process of a run to the others, and their process group.

Before they form a group, processes poll a store. A poll returns at once, so that a process reacts
to signals while it waits for another one, which may prepare data for hours.
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

Message = dict[str, Any]


@dataclass
class Channel:
    """The store, and counters that number the messages and groups of every job."""

    store: "Store"
    job: int = 0
    message: int = 0
    groups: int = 0

    def next(self) -> str:
        """The key of the next message."""
        self.message += 1
        return f"job {self.job} message {self.message}"


_channels: list[Channel] = []


@contextmanager
def leading(explain: Callable[[BaseException], tuple[str, int]]) -> Iterator[None]:
    """Work of the first process; the others are sent how it ends.

    `explain` returns an error's message and exit code.
    """
    if not launch.launched():
        yield
        return
    channel = _next_job()
    try:
        yield
    except BaseException as error:
        message, code = explain(error)
        _send(channel, {"error": message, "code": code, "stop": isinstance(error, Stopped)})
        _wait_for_others(channel)
        raise
    _send(channel, {"end": True})
    _wait_for_others(channel)


def broadcast(**what: Any) -> None:
    """Send plain values to the other processes, if there are any."""
    if launch.launched():
        _send(_channels[0], what)


@contextmanager
def following() -> Iterator[Iterator[Message]]:
    """The first process's messages until it ends; its error is raised here, too."""
    channel = _next_job()
    try:
        yield _messages(channel)
    finally:
        with suppress(RuntimeError):  # the first process is gone
            channel.store.set(f"job {channel.job} left by {launch.rank()}", "")


def _messages(channel: Channel) -> Iterator[Message]:
    while True:
        message = _receive(channel, channel.next())
        if "end" in message:
            return
        if "error" in message:
            raise _as_error(message)
        yield message


@contextmanager
def failing_together() -> Iterator[None]:
    """An error in the block also ends the processes that wait for this one."""
    try:
        yield
    except (GenlabError, Stopped) as error:
        if launch.launched() and not error.reported:
            stop = isinstance(error, Stopped)
            message = {"error": str(error), "code": error.exit_code, "stop": stop}
            channel = _channel()
            channel.store.set(f"job {channel.job} failed", json.dumps(message))
        raise


@contextmanager
def group(kind: str, seconds: float, again: str) -> Iterator[None]:
    """All processes form a group while the block runs, on devices of this kind.

    A process that does not answer for `seconds` ends the others with WorkerFailed, whose message
    says `again` as the fix.
    """
    if not launch.launched():
        yield
        return
    join(kind, seconds)
    try:
        yield
    except RuntimeError as error:
        if not _lost_connection(error):
            raise
        raise WorkerFailed(
            f"another process has died, or has not answered for {seconds:g} s "
            f"(trainer.timeout_seconds): {again}"
        ) from error
    finally:
        leave()


def join(kind: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Wait for all processes and form a group; does nothing for a single process."""
    from torch import device, distributed

    if not launch.launched() or ranks.is_distributed():
        return
    channel = _channel()
    channel.groups += 1
    name = f"job {channel.job} group {channel.groups}"
    channel.store.set(f"{name} {launch.rank()}", "here")
    for other in range(launch.world_size()):
        _wait(channel, f"{name} {other}")
    distributed.init_process_group(
        "nccl" if kind == "cuda" else "gloo",
        store=distributed.PrefixStore(name, channel.store),
        rank=launch.rank(),
        world_size=launch.world_size(),
        timeout=timedelta(seconds=seconds),
        device_id=device(kind, launch.local_rank()) if kind == "cuda" else None,
    )


def leave() -> None:
    """Destroy the group, if there is one."""
    from torch import distributed

    if ranks.is_distributed():
        distributed.destroy_process_group()


def _next_job() -> Channel:
    channel = _channel()
    channel.job, channel.message, channel.groups = channel.job + 1, 0, 0
    return channel


def _channel() -> Channel:
    if not _channels:
        _channels.append(Channel(reach_store()))
    return _channels[0]


def _wait_for_others(channel: Channel) -> None:
    """Give the others time to receive the end: this process may host the store."""
    left = [f"job {channel.job} left by {rank}" for rank in range(1, launch.world_size())]
    deadline = time.monotonic() + _FAREWELL_SECONDS
    while not channel.store.check(left) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _send(channel: Channel, message: Message) -> None:
    channel.store.set(channel.next(), json.dumps(message))


def _receive(channel: Channel, key: str) -> Message:
    _wait(channel, key)
    message: Message = json.loads(channel.store.get(key))
    return message


def _wait(channel: Channel, key: str) -> None:
    """Wait for the key; raises the error that has ended another process meanwhile."""
    failed = f"job {channel.job} failed"
    try:
        while not channel.store.check([key]):
            if channel.store.check([failed]):
                raise _as_error(json.loads(channel.store.get(failed)))
            time.sleep(_LOOK_SECONDS)
    except RuntimeError as error:  # of the store
        raise WorkerFailed(
            "the first process has ended: see its messages, and start the command again"
        ) from error


def _as_error(message: Message) -> BaseException:
    if message["stop"]:
        stopped = Stopped(message["error"], message["code"] - 128)
        stopped.reported = True
        return stopped
    error = GenlabError(message["error"])
    error.exit_code, error.reported = message["code"], True
    return error


def _lost_connection(error: RuntimeError) -> bool:
    """Whether the error means that another process does not answer."""
    from torch import distributed

    signs = ("gloo", "pair closure", "Connection closed", "Connection reset", "Broken pipe")
    return isinstance(error, distributed.DistError) or any(sign in str(error) for sign in signs)
