"""Checks that all numbers that a run saves are finite."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.errors import Diverged
from genlab.learners import Learner


def require_finite(trainer: pl.Trainer, learner: Learner, state: Any, what: str) -> None:
    """Raise Diverged on all ranks if `state` of any rank has a number that is not finite."""
    if not all_agree(trainer, learner, is_finite(state)):
        raise Diverged(f"{what} no longer finite after {learner.images_seen:,} images")


def is_finite(state: Any) -> bool:
    """Whether all numbers and tensors in nested containers are finite, with one synchronisation."""
    answers: dict[torch.device, list[Tensor]] = {}
    for leaf in _numbers(state):
        if not isinstance(leaf, Tensor):
            if not math.isfinite(leaf):
                return False
        elif leaf.is_floating_point() or leaf.is_complex():
            answers.setdefault(leaf.device, []).append(leaf.isfinite().all())
    return all(bool(torch.stack(each).all()) for each in answers.values())


def agreed(trainer: pl.Trainer, learner: Learner, *flags: int) -> tuple[int, ...]:
    """The maximum of each flag over all ranks."""
    if trainer.world_size == 1:
        return flags
    shared = torch.tensor(flags, device=learner.device)
    torch.distributed.all_reduce(shared, op=torch.distributed.ReduceOp.MAX)
    return tuple(shared.tolist())


def all_agree(trainer: pl.Trainer, learner: Learner, flag: bool) -> bool:
    """Whether the flag is set on all ranks."""
    return not agreed(trainer, learner, not flag)[0]


def _numbers(state: Any) -> Iterator[Tensor | float]:
    """The tensors and floats in nested containers."""
    if isinstance(state, Tensor | float):
        yield state
    elif isinstance(state, Mapping):
        for value in state.values():
            yield from _numbers(value)
    elif isinstance(state, list | tuple):
        for value in state:
            yield from _numbers(value)
