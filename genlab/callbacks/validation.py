"""Measures of a learner on held-out images, during and after training."""

from typing import Any

import pytorch_lightning as pl
import torch

from genlab.callbacks.adapter import data_of, learner_of
from genlab.callbacks.finite import require_finite
from genlab.callbacks.history import History
from genlab.learners import Learner
from genlab.learners.abilities import Measures
from genlab.learners.measuring import summed

BATCH = 500


class Validation(pl.Callback):
    """Records the learner's own measures on the validation part, over all ranks."""

    def __init__(self, history: History, every_images: int) -> None:
        self.history = history
        self.every_images = every_images

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure if it is due."""
        learner = learner_of(pl_module)
        if learner.passed(self.every_images):
            self.measure(trainer, learner)

    def measure(self, trainer: pl.Trainer, learner: Learner) -> None:
        """One pass over the validation part."""
        if not isinstance(learner, Measures):
            return
        data = data_of(trainer)
        rank, world = trainer.global_rank, trainer.world_size
        if len(data.indices("validation")) < world:
            rank, world = 0, 1  # every rank measures all images, which does not change the mean
        with trainer.precision_plugin.val_step_context():
            sums, count = summed(
                learner, data.held_out("validation", BATCH, rank=rank, world=world)
            )
        names = sorted(sums)
        totals = torch.tensor([*(sums[name] for name in names), count], device=learner.device)
        totals = trainer.strategy.reduce(totals, reduce_op="sum")
        means = (totals[:-1] / totals[-1]).tolist()
        values = dict(zip(names, means, strict=True))
        self.history.record(values, "validation", learner.images_seen)
        require_finite(trainer, learner, values, "the held-out measures are")
