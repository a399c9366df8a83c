"""Rows of tensors, shared out among the processes that work together; all of them to one alone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

# The image cache counts processes, too, and is read before torch is needed.
if TYPE_CHECKING:
    from torch import Tensor


def together() -> bool:
    """Whether there are other processes."""
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized()


def on_this_machine() -> int:
    """How many processes torchrun or srun started together here, 1 where it was neither."""
    if "LOCAL_WORLD_SIZE" in os.environ:
        return int(os.environ["LOCAL_WORLD_SIZE"])
    told = os.environ.get("SLURM_STEP_TASKS_PER_NODE", "")  # of every machine: "4(x2),3"
    return max([1, *map(int, re.findall(r"(?:^|,)(\d+)", told))])


def own(rows: Tensor) -> Tensor:
    """This process's part (n, ...) of rows (N, ...)."""
    from torch import distributed

    if not together():
        return rows
    return rows.tensor_split(distributed.get_world_size())[distributed.get_rank()]


def joined(part: Tensor) -> Tensor:
    """The rows (N, ...) that `own` shared out, from the parts of all processes, on the CPU."""
    import torch
    from torch import distributed

    if not together():
        return part.cpu()
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, part.cpu())
    return torch.cat(parts)
