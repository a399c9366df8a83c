"""Where one stage of a run ends and the next begins, in the log and in TensorBoard."""

import logging
from typing import Any

import pytorch_lightning as pl

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.history import History
from genlab.schedules import Whole

log = logging.getLogger(__name__)


class StageLog(pl.Callback):
    """Says what the networks receive from now on whenever that changes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._stage = Whole().name(0)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Compare with the batch before."""
        learner = learner_of(pl_module)
        told = learner.stages.name(learner.images_seen)
        if told == self._stage:
            return
        self._stage = told
        log.info("from image %s on: %s", f"{learner.images_seen:,}", told)
        self.history.note("stage", told, learner.images_seen)
