"""Sharding of tensor rows over processes; a single process has all rows."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

# The image cache counts processes as well, before torch is needed.
if TYPE_CHECKING:
    from torch import Tensor


def is_distributed() -> bool:
    """Whether a process group is initialised."""
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized()


def on_this_machine() -> int:
    """How many processes torchrun or srun started on this machine, 1 without either."""
    if "LOCAL_WORLD_SIZE" in os.environ:
        return int(os.environ["LOCAL_WORLD_SIZE"])
    tasks = os.environ.get("SLURM_STEP_TASKS_PER_NODE", "")  # of every machine: "4(x2),3"
    return max([1, *map(int, re.findall(r"(?:^|,)(\d+)", tasks))])


def shard(rows: Tensor) -> Tensor:
    """This process's part (n, ...) of rows (N, ...)."""
    from torch import distributed

    if not is_distributed():
        return rows
    return rows.tensor_split(distributed.get_world_size())[distributed.get_rank()]


def gather(part: Tensor) -> Tensor:
    """All rows (N, ...), on the CPU, from the parts that `shard` gave to the processes."""
    import torch
    from torch import distributed

    if not is_distributed():
        return part.cpu()
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, part.cpu())
    return torch.cat(parts)
