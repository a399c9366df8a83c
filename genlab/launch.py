"""Several processes for one run: torchrun starts them, this module starts torchrun."""

import ctypes
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.errors import GenlabError, Stopped, WorkerFailed
from genlab.files import open_plain, write_text
from genlab.reading import read_json
from genlab.schemas import COUNT, TEXT

if TYPE_CHECKING:
    import torch


def rank() -> int:
    """This process's rank among all, 0 where there is only one."""
    return int(_variable("RANK", "SLURM_PROCID") or 0)


def local_rank() -> int:
    """This process's number on its machine, 0 where it runs alone."""
    return int(_variable("LOCAL_RANK", "SLURM_LOCALID") or 0)


def world_size() -> int:
    """How many processes train together."""
    return int(_variable("WORLD_SIZE", "SLURM_NTASKS") or 1)


def launched() -> bool:
    """Whether torchrun or SLURM started this process as one of several."""
    return world_size() > 1


def device(accelerator: str) -> "torch.device":
    """This process's own device of those that the word stands for."""
    import torch

    from genlab import devices

    kind = devices.find(accelerator, group="")
    return torch.device(kind, local_rank()) if kind == "cuda" else torch.device(kind)


def _variable(torchrun: str, slurm: str) -> str | None:
    """torchrun's variable, or SLURM's inside a step of srun: allocations alone start nothing."""
    if torchrun in os.environ:
        return os.environ[torchrun]
    return os.environ.get(slurm) if "SLURM_STEP_ID" in os.environ else None


def without_current_folder(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that keep Python from importing what lies in the folder it is started in."""
    entries = environment.get("PYTHONPATH", "").split(os.pathsep)
    kept = [os.path.abspath(entry) for entry in entries if entry not in ("", ".")]
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(kept)}


def run_processes(
    words: Sequence[str], processes: int, folder: Path, again: str, stopped: Callable[[], str]
) -> None:
    """Run `python -m WORDS` in so many processes; raises what the first of them reports.

    Args:
        words: a module that works within `reporting(folder)`, and its arguments.
        processes: how many.
        folder: of their reports, and of what torchrun says.
        again: the mend where one of them died.
        stopped: what to say where a signal stopped them before they could say anything.
    """
    for file in folder.glob(".error-*.json"):
        file.unlink()
    environment = {**os.environ, **without_current_folder(os.environ)}
    threads = max((os.cpu_count() or 1) // processes, 1)
    environment.setdefault("OMP_NUM_THREADS", str(threads))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", *words]
    agent: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def forward(number: int, frame: Any) -> None:
        received.append(number)
        if agent:
            agent.send_signal(number)

    handlers = {n: signal.signal(n, forward) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        agent = subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            stderr=open_plain(folder / "torchrun.log", "w"),
        )
        if received:  # while it was being started
            agent.send_signal(received[0])
        code = agent.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if not code:
        return
    for file in sorted(folder.glob(".error-*.json")):
        content = read_json(file, WorkerFailed, {"exit_code": COUNT, "message": TEXT})
        if received:
            raise Stopped(content["message"], received[0])
        error = GenlabError(content["message"])
        error.exit_code = content["exit_code"]
        raise error
    if received:
        raise Stopped(stopped(), received[0])
    raise WorkerFailed(f"a process died (exit code {code}, see {folder / 'torchrun.log'}): {again}")


@contextmanager
def reporting(folder: Path) -> Iterator[None]:
    """What ends the block is left where the starting process finds it; ends this process then."""
    try:
        yield
    except (GenlabError, Stopped) as error:
        content = {"exit_code": error.exit_code, "message": str(error)}
        write_text(folder / f".error-{rank()}.json", json.dumps(content), durable=False)
        sys.exit(error.exit_code)
    finally:
        leave()


@contextmanager
def alone() -> Iterator[None]:
    """What runs in the block takes this process for the only one."""
    told = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "SLURM_STEP_ID")
    hidden = {name: os.environ.pop(name) for name in told if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def join() -> None:
    """Let the processes that were started together talk to each other, where there are several."""
    from torch import distributed

    from genlab import ranks

    if launched() and not ranks.together():
        distributed.init_process_group("gloo")


def leave() -> None:
    """Stop talking, where it was begun."""
    from torch import distributed

    from genlab import ranks

    if ranks.together():
        distributed.destroy_process_group()


def _die_with_parent() -> None:
    """Have the kernel end torchrun when this process is killed, so that nothing is orphaned."""
    if platform.system() == "Linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
