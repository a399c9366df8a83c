"""Checks that a checkpoint belongs to a run, before anything is trained or written."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from genlab.errors import CheckpointError
from genlab.io.schemas import ANY, COUNT, MAPPING, Kind, misfit
from genlab.learners import Learner
from genlab.runs.checkpoints import LoadedCheckpoint
from genlab.runs.state import images_in_name
from genlab.runs.weights import not_finite, tensors_mismatch

_VERSION = Kind("a version", lambda v: isinstance(v, str) and bool(re.fullmatch(r"\d[\w.+]*", v)))
_LIST = Kind("a list", lambda value: isinstance(value, list))
_STATE = Kind("a state", lambda value: isinstance(value, dict) and bool(value))
_SCHEMA = {
    "images_seen": COUNT,
    "roll_backs?": COUNT,
    "epoch": COUNT,
    "global_step": COUNT,
    "pytorch-lightning_version": _VERSION,
    "state_dict": {str: ANY},
    "optimizer_states": _LIST,
    "lr_schedulers": _LIST,
    "callbacks": {"History": _STATE, "Lifecycle": _STATE, "Evaluation?": _STATE, str: MAPPING},
    "loops": {"fit_loop": MAPPING, str: MAPPING},
}


class Restored(pl.Callback):
    """Knows whether the state of a checkpoint has been restored."""

    done = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """It has, and the callbacks before this one have accepted it."""
        self.done = True


def refuse_misfit(
    checkpoint: LoadedCheckpoint, learner: Learner, optimizers: Sequence[Optimizer]
) -> None:
    """Raise CheckpointError, with the difference, for a checkpoint of another run."""
    path, state = checkpoint
    problem = (
        misfit(state, _SCHEMA)
        or tensors_mismatch(state["state_dict"], learner.state_dict())
        or not_finite(state["state_dict"])
        or _misfit_of_optimizers(state["optimizer_states"], optimizers)
    )
    if not problem and state["images_seen"] != images_in_name(path):
        problem = f"it has seen {state['images_seen']:,} images, its name says another number"
    if problem:
        raise CheckpointError(f"{path}: {problem}")


def _misfit_of_optimizers(states: list[Any], optimizers: Sequence[Optimizer]) -> str | None:
    if len(states) != len(optimizers):
        return f"it has {len(states)} optimizers, the model has {len(optimizers)}"
    for number, (state, optimizer) in enumerate(zip(states, optimizers, strict=True)):
        problem = misfit(state, {"state": ANY, "param_groups": [{"params": _LIST, str: ANY}]})
        if not problem and not isinstance(state["state"], dict):
            problem = "its state is not a mapping"
        if problem := problem or _misfit_of_state(state, optimizer):
            return f"optimizer {number}: {problem}"
    return None


def _misfit_of_state(state: Mapping[str, Any], optimizer: Optimizer) -> str | None:
    """How an optimizer's state differs: values have their parameter's shape, or are numbers."""
    groups = [group["params"] for group in state["param_groups"]]
    if list(map(len, groups)) != [len(group["params"]) for group in optimizer.param_groups]:
        return "it has other parameters than the model"
    numbers = [number for group in groups for number in group]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if numbers != list(range(len(parameters))):
        return "its parameters are not numbered from 0"
    for number, values in state["state"].items():
        if number not in range(len(parameters)) or not isinstance(values, dict):
            return "it has values of a parameter that the model does not have"
        if any(not _fits(value, parameters[number]) for value in values.values()):
            return f"a value of parameter {number} has another shape"
        if problem := not_finite(values):
            return problem
    return None


def _fits(value: Any, parameter: nn.Parameter) -> bool:
    if isinstance(value, Tensor):
        return value.shape == parameter.shape or value.numel() == 1
    return value is None or isinstance(value, int | float)
