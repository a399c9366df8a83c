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


def rank() -> int:
    """This process's rank among all, 0 where there is only one."""
    return int(_variable("RANK", "SLURM_PROCID") or 0)


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


def run_processes(folder: Path, processes: int) -> None:
    """Train the run in `folder` with so many processes; raises what the first of them reports."""
    for file in folder.glob(".error-*.json"):
        file.unlink()
    environment = dict(os.environ)
    threads = max((os.cpu_count() or 1) // processes, 1)
    environment.setdefault("OMP_NUM_THREADS", str(threads))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "genlab.train", str(folder)]
    agent = subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
        preexec_fn=_die_with_parent,
        stderr=(folder / "torchrun.log").open("w"),
    )
    received: list[int] = []

    def forward(number: int, frame: Any) -> None:
        received.append(number)
        agent.send_signal(number)

    handlers = {n: signal.signal(n, forward) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = agent.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if code:
        _raise_reported(folder, received, code)


def report(folder: Path, rank: int, error: GenlabError) -> None:
    """Leave an error of one rank where the starting process finds it."""
    content = {"exit_code": error.exit_code, "message": str(error)}
    (folder / f".error-{rank}.json").write_text(json.dumps(content))


def _raise_reported(folder: Path, received: list[int], code: int) -> None:
    for file in sorted(folder.glob(".error-*.json")):
        content = json.loads(file.read_text())
        error = GenlabError(content["message"])
        error.exit_code = content["exit_code"]
        raise error
    if received:
        raise Stopped(f"stopped; continue with genlab train resume={folder}", received[0])
    raise WorkerFailed(
        f"a training process died (exit code {code}, see {folder / 'torchrun.log'}): continue "
        f"with genlab train resume={folder}"
    )


def _die_with_parent() -> None:
    """Have the kernel end torchrun when this process is killed, so that nothing is orphaned."""
    if platform.system() == "Linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
