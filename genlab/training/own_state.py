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
from genlab.runs.checkpoints import Checkpoint
from genlab.runs.weights import misfit_of_tensors, not_finite

RANKS = "ranks"
_OWN = {"buffers": {str: ANY}, "callbacks": {str: MAPPING}}


class OwnState(pl.Callback):
    """Keeps each rank's buffers (batch statistics, pools of fakes) and callbacks' running sums.

    Weights and optimizers are equal on all ranks and are the first one's in the checkpoint, whose
    key "ranks" holds a dict for each further rank. A checkpoint without the key gives every rank
    the first one's state.
    """

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Gather what the others have; every rank takes part."""
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
        """Take this rank's part, after the weights were loaded and before the callbacks' states."""
        ranks = checkpoint.get(RANKS) or []
        if trainer.is_global_zero or len(ranks) != trainer.world_size:
            return
        own = ranks[trainer.global_rank]
        pl_module.load_state_dict(own["buffers"], strict=False)
        checkpoint["callbacks"] = own["callbacks"]


def refuse_other_ranks(checkpoint: Checkpoint, learner: Learner, world: int, allowed: bool) -> None:
    """Raise CheckpointError for a checkpoint of another number of ranks, unless it is allowed.

    All ranks then take the first one's state. What further ranks have must fit the learner.
    """
    path, state = checkpoint
    own = state.get(RANKS)
    if own is None:  # of a version before
        return
    if problem := misfit(own, [ANY]) or misfit(own[1:], [_OWN]):
        raise CheckpointError(f"{path}: {RANKS}: {problem}")
    if len(own) != world and not allowed:
        raise CheckpointError(
            f"the run was trained by {len(own)} process(es) and would go on with {world}: start "
            f"as many (trainer.devices={len(own)}), or add allow_changes=true, which gives each "
            "the first one's batch statistics and pools"
        )
    buffers = _buffers(learner, learner.state_dict())
    for number, each in enumerate(own[1:], 1):
        found = each["buffers"]
        if problem := misfit_of_tensors(found, buffers) or not_finite(found):
            raise CheckpointError(f"{path}: {RANKS}: {number}: {problem}")


def _buffers(module: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a module's state is no weight, on the CPU."""
    weights = {name for name, _ in module.named_parameters()}
    return {name: tensor.cpu() for name, tensor in state.items() if name not in weights}
