"""Several processes for one run on this machine: this one starts, watches and ends them."""

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from genlab.data.pixels import cores
from genlab.errors import GenlabError, Stopped, WorkerFailed
from genlab.io.files import open_plain, write_text
from genlab.io.reading import read_json
from genlab.io.schemas import COUNT, TEXT
from genlab.processes import launch, peers
from genlab.processes.signals import STOPS, listening
from genlab.processes.store import LISTENING

LOG = "processes.log"
_LOOK_SECONDS = 0.05
_GRACE_SECONDS = 10.0  # for the others, once one has ended badly, and again until they are killed
_STOP_CODES = {s: c for c in (*STOPS, signal.SIGUSR1) for s in (-c, 128 + c)}

Child = subprocess.Popen[bytes]


def run_processes(
    words: Sequence[str],
    processes: int,
    folder: Path,
    again: str,
    stopped: Callable[[], str],
    held: Sequence[int] = (),
) -> None:
    """Run `python -m WORDS` in several processes; raises the first error that one reports.

    They communicate over the loopback interface only. Signals are passed on; a second one, seconds
    later, kills them.

    Args:
        words: a module that works within `reporting(folder)`, and its arguments.
        processes: their number.
        folder: for their reports and their standard error.
        again: the fix that the message names if one of them died.
        stopped: gives the message if a signal stopped them before they could report.
        held: descriptors of locks that they hold as well: they may outlive a killed parent.
    """
    for file in folder.glob(".error-*.json"):
        file.unlink()
    children: list[Child] = []
    received: list[int] = []

    def forward(number: int) -> None:
        if number in STOPS:
            received.append(number)
        _signal(children, number)

    meeting = socket.socket()
    meeting.bind((launch.LOOPBACK, 0))
    meeting.listen(processes)
    with (
        meeting,
        open_plain(folder / LOG, "w") as log,
        listening(forward, again=lambda _: _signal(children, signal.SIGKILL), on_save=forward),
    ):
        for rank in range(processes):
            children.append(_start(words, rank, processes, meeting, log, held))
        meeting.close()  # now held by the first process alone, so that the others notice its end
        if received:  # while they were started
            _signal(children, received[0])
        ended = _watch(children)
    if not any(child.returncode for child in children):
        return
    reports = _reports(folder)
    stops = [_STOP_CODES[code] for code in ended.values() if code in _STOP_CODES]
    if received or stops:
        said = [each["message"] for each in reports.values() if each["exit_code"] in _STOP_CODES]
        raise Stopped(said[0] if said else stopped(), (received or stops)[0])
    died = any(code < 0 for code in ended.values())
    for content in reports.values():
        if died and content["exit_code"] == WorkerFailed.exit_code:
            continue  # it only noticed the death of another
        error = GenlabError(content["message"])
        error.exit_code = content["exit_code"]
        raise error
    codes = ", ".join(f"process {rank}: {code}" for rank, code in ended.items() if code)
    raise WorkerFailed(f"a process died ({codes}, see {folder / LOG}): {again}")


@contextmanager
def reporting(folder: Path) -> Iterator[None]:
    """Write the error that ends the block to a report for the parent process, then exit."""
    try:
        yield
    except (GenlabError, Stopped) as error:
        if not error.reported:
            content = {"exit_code": error.exit_code, "message": str(error)}
            report = folder / f".error-{launch.rank()}.json"
            write_text(report, json.dumps(content), durable=False)
        sys.exit(error.exit_code)
    finally:
        peers.leave()


def _start(
    words: Sequence[str],
    rank: int,
    processes: int,
    meeting: socket.socket,
    log: IO[Any],
    held: Sequence[int],
) -> Child:
    environment = {**os.environ, **launch.loopback_only()}
    environment |= launch.without_current_folder(os.environ)
    environment.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # genlab reports lost processes itself
    environment.setdefault("OMP_NUM_THREADS", str(max(cores() // processes, 1)))
    host, port = meeting.getsockname()
    environment |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": host,
        "MASTER_PORT": str(port),
    }
    descriptors = list(held)
    if rank == 0:
        descriptors.append(meeting.fileno())
        environment[LISTENING] = str(meeting.fileno())
    parent = os.getpid()
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: _before(parent),
        stderr=log,
        pass_fds=descriptors,
    )


def _before(parent: int) -> None:
    """In a child: have the kernel end it with its parent, so that it is never orphaned."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until it has a handler
    if platform.system() == "Linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)


def _watch(children: Sequence[Child]) -> dict[int, int]:
    """Wait for all; the exit codes by rank of those that ended before any had to be killed."""
    ended: dict[int, int] = {}
    deadline, remedies = float("inf"), [signal.SIGTERM, signal.SIGKILL]
    while None in [child.poll() for child in children]:  # polls all, to notice every end
        if any(child.returncode for child in children) and deadline == float("inf"):
            deadline = time.monotonic() + _GRACE_SECONDS
        if time.monotonic() > deadline and remedies:
            ended = ended or _codes(children)
            _signal(children, remedies.pop(0))
            deadline += _GRACE_SECONDS
        time.sleep(_LOOK_SECONDS)
    return ended or _codes(children)


def _codes(children: Sequence[Child]) -> dict[int, int]:
    return {r: c.returncode for r, c in enumerate(children) if c.returncode is not None}


def _signal(children: Sequence[Child], number: int) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(number)


def _reports(folder: Path) -> dict[str, dict[str, Any]]:
    """The processes' reports of their end, by file name."""
    schema = {"exit_code": COUNT, "message": TEXT}
    files = sorted(folder.glob(".error-*.json"))
    return {file.name: read_json(file, WorkerFailed, schema) for file in files}
