"""Learners that play without a trainer."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.learners import Learner


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Tensor]]:
    """Steps of a learner on one batch, each with its number as seed; returns the last losses."""
    strategy = type("Strategy", (), {"reduce": lambda self, value, reduce_op: value})()
    trainer = type("Trainer", (), {"world_size": 1, "strategy": strategy})()
    monkeypatch.setattr(Learner, "manual_backward", lambda self, loss: loss.backward())
    monkeypatch.setattr(Learner, "trainer", property(lambda self: trainer), raising=False)
    monkeypatch.setattr(Learner, "optimizers", lambda self, use_pl_optimizer: self.own_optimizers)

    def play(
        learner: Any, images: Tensor, labels: Mapping[str, Tensor], steps: int = 1
    ) -> dict[str, Tensor]:
        learner.own_optimizers = learner.optimizers_of_players()
        losses: dict[str, Tensor] = {}
        first = learner.images_seen
        for step in range(steps):
            torch.manual_seed(step)
            learner.images_seen = first + step * len(images)
            losses = learner.play(images, labels)
        return losses

    return play
