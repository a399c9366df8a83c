"""Learners that play without a trainer."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.learners.learner import Engine


@pytest.fixture
def play() -> Callable[..., dict[str, Tensor]]:
    """Steps of a learner on one batch, each with its number as seed; returns the last losses."""

    def play(
        learner: Any, images: Tensor, labels: Mapping[str, Tensor], steps: int = 1
    ) -> dict[str, Tensor]:
        learner.engine = Engine(learner.optimizers_of_players())
        losses: dict[str, Tensor] = {}
        first = learner.images_seen
        for step in range(steps):
            torch.manual_seed(step)
            learner.images_seen = first + step * len(images)
            losses = learner.play(images, labels)
        return losses

    return play
