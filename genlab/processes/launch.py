"""This process's rank and the number of processes, as torchrun, SLURM or genlab set them."""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    """Where the processes meet."""

    host: str
    port: int


def rank() -> int:
    """This process's rank, 0 for a single process."""
    return int(_variable("RANK", "SLURM_PROCID") or 0)


def local_rank() -> int:
    """This process's number on its machine, 0 for a single process."""
    return int(_variable("LOCAL_RANK", "SLURM_LOCALID") or 0)


def world_size() -> int:
    """How many processes train together."""
    return int(_variable("WORLD_SIZE", "SLURM_NTASKS") or 1)


def job_name(other: str) -> str:
    """The job's name by SLURM or torchrun's --rdzv-id, the same after a restart; else `other`."""
    given = os.environ.get("TORCHELASTIC_RUN_ID", "none")  # "none" if none was given
    return os.environ.get("SLURM_JOB_ID") or (other if given == "none" else given)


def local_size() -> int:
    """How many of them are on this machine, if all machines have equally many."""
    given = os.environ.get("LOCAL_WORLD_SIZE")
    nodes = os.environ.get("SLURM_STEP_NUM_NODES") or os.environ.get("SLURM_NNODES") or "1"
    return int(given) if given else max(world_size() // int(nodes), 1)


def launched() -> bool:
    """Whether torchrun or SLURM started this process as one of several."""
    return world_size() > 1


def device(accelerator: str) -> "torch.device":
    """This process's device of the kind that `accelerator` names."""
    import torch

    from genlab import devices

    kind = devices.resolve_accelerator(accelerator, group="")
    return torch.device(kind, local_rank()) if kind == "cuda" else torch.device(kind)


def _variable(torchrun: str, slurm: str) -> str | None:
    """torchrun's variable, or SLURM's in a step of srun: an allocation alone starts no process."""
    if torchrun in os.environ:
        return os.environ[torchrun]
    return os.environ.get(slurm) if "SLURM_STEP_ID" in os.environ else None


def without_current_folder(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that keep Python from importing files of the folder that it is started in."""
    entries = environment.get("PYTHONPATH", "").split(os.pathsep)
    kept = [os.path.abspath(entry) for entry in entries if entry not in ("", ".")]
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(kept)}


def one_machine() -> bool:
    """Whether all processes run on this machine."""
    return local_size() == world_size()


def address() -> Address:
    """Where the processes meet: torchrun's or the user's address, else by SLURM's variables."""
    host = LOOPBACK
    if not one_machine():
        from lightning_fabric.plugins.environments import SLURMEnvironment

        nodes = os.environ.get("SLURM_STEP_NODELIST") or os.environ.get("SLURM_NODELIST", host)
        host = SLURMEnvironment.resolve_root_node_address(nodes)
    job = int(os.environ.get("SLURM_JOB_ID", "0")), int(os.environ.get("SLURM_STEP_ID", "0"))
    port = 15_000 + (31 * job[0] + job[1]) % 15_000
    given = os.environ
    return Address(given.get("MASTER_ADDR", host), int(given.get("MASTER_PORT", port)))


def loopback_only() -> dict[str, str]:
    """Variables that keep the communication of the processes on this machine."""
    name = "lo0" if platform.system() == "Darwin" else "lo"
    return {"GLOO_SOCKET_IFNAME": name, "NCCL_SOCKET_IFNAME": name}


@contextmanager
def single_process() -> Iterator[None]:
    """Hide the launcher's variables: code in the block sees a single process."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "SLURM_STEP_ID")
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
