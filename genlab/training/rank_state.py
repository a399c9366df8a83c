"""What every rank has of its own, in the checkpoint that the first one writes."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from genlab.callbacks.adapter import learner_of
from genlab.errors import CheckpointError
from genlab.io.schemas import ANY, MAPPING, misfit
from genlab.learners import Learner
from genlab.runs.checkpoints import LoadedCheckpoint
from genlab.runs.weights import not_finite, tensors_mismatch

RANKS = "ranks"
_OWN = {"buffers": {str: ANY}, "callbacks": {str: MAPPING}}


class RankState(pl.Callback):
    """Saves each rank's buffers (batch statistics, pools of samples) and callbacks' running sums.

    Weights and optimizers are equal on all ranks. The checkpoint has the first rank's state, and
    under the key "ranks" a dict for each further rank. With a checkpoint without that key every
    rank gets the first one's state.
    """

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Gather the state of the other ranks; every rank takes part."""
        checkpoint[RANKS] = [None]  # the first one's state is the checkpoint's own
        if trainer.world_size == 1:
            return
        buffers = _buffers(learner_of(pl_module), checkpoint["state_dict"])
        own = {"buffers": buffers, "callbacks": checkpoint["callbacks"]}
        first = trainer.is_global_zero
        gathered: list[Any] | None = [None] * trainer.world_size if first else None
        torch.distributed.gather_object({} if first else own, gathered)
        checkpoint[RANKS] = gathered and [None, *gathered[1:]]

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Load this rank's part, after the weights and before the callbacks' states."""
        ranks = checkpoint.get(RANKS) or []
        if trainer.is_global_zero or len(ranks) != trainer.world_size:
            return
        own = ranks[trainer.global_rank]
        pl_module.load_state_dict(own["buffers"], strict=False)
        checkpoint["callbacks"] = own["callbacks"]


def refuse_other_ranks(
    checkpoint: LoadedCheckpoint, learner: Learner, world: int, allowed: bool
) -> None:
    """Raise CheckpointError for a checkpoint of another number of ranks, unless it is allowed.

    If it is, all ranks get the first one's state. The state of further ranks must fit the learner.
    """
    path, state = checkpoint
    own = state.get(RANKS)
    if own is None:  # written by an older version
        return
    if problem := misfit(own, [ANY]) or misfit(own[1:], [_OWN]):
        raise CheckpointError(f"{path}: {RANKS}: {problem}")
    if len(own) != world and not allowed:
        raise CheckpointError(
            f"the run was trained by {len(own)} process(es) and would continue with {world}: start "
            f"as many (trainer.devices={len(own)}), or add allow_changes=true, which gives each "
            "the first one's batch statistics and pools"
        )
    buffers = _buffers(learner, learner.state_dict())
    for number, each in enumerate(own[1:], 1):
        found = each["buffers"]
        if problem := tensors_mismatch(found, buffers) or not_finite(found):
            raise CheckpointError(f"{path}: {RANKS}: {number}: {problem}")


def _buffers(module: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part of a module's state that is not weights, on the CPU."""
    weights = {name for name, _ in module.named_parameters()}
    return {name: tensor.cpu() for name, tensor in state.items() if name not in weights}
