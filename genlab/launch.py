"""Several processes for one run: torchrun starts them, this module starts torchrun."""

import ctypes
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from genlab.errors import GenlabError, Stopped, WorkerFailed
from genlab.runs import RunFolder
from genlab.stopping import stopped_message


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


def _variable(torchrun: str, slurm: str) -> str | None:
    """torchrun's variable, or SLURM's inside a step of srun: allocations alone start nothing."""
    if torchrun in os.environ:
        return os.environ[torchrun]
    return os.environ.get(slurm) if "SLURM_STEP_ID" in os.environ else None


def run_processes(run: RunFolder, processes: int) -> None:
    """Train the run with so many processes; raises what the first of them reports."""
    folder = run.path
    for file in folder.glob(".error-*.json"):
        file.unlink()
    environment = dict(os.environ)
    threads = max((os.cpu_count() or 1) // processes, 1)
    environment.setdefault("OMP_NUM_THREADS", str(threads))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "genlab.train", str(folder)]
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
            stderr=(folder / "torchrun.log").open("w"),
        )
        if received:  # while it was being started
            agent.send_signal(received[0])
        code = agent.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if code:
        _raise_reported(run, received, code)


def report(folder: Path, rank: int, error: GenlabError | Stopped) -> None:
    """Leave an error of one rank where the starting process finds it."""
    content = {"exit_code": error.exit_code, "message": str(error)}
    (folder / f".error-{rank}.json").write_text(json.dumps(content))


def _raise_reported(run: RunFolder, received: list[int], code: int) -> None:
    for file in sorted(run.path.glob(".error-*.json")):
        content = json.loads(file.read_text())
        if received:
            raise Stopped(content["message"], received[0])
        error = GenlabError(content["message"])
        error.exit_code = content["exit_code"]
        raise error
    if received:
        raise Stopped(stopped_message(run), received[0])
    raise WorkerFailed(
        f"a training process died (exit code {code}, see {run.path / 'torchrun.log'}): continue "
        f"with genlab train resume={run.path}"
    )


def _die_with_parent() -> None:
    """Have the kernel end torchrun when this process is killed, so that nothing is orphaned."""
    if platform.system() == "Linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
