"""The beginning of each stage of a run, in the log and in TensorBoard."""

import logging
from typing import Any

import pytorch_lightning as pl

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.history import History
from genlab.schedules import Whole

log = logging.getLogger(__name__)


class StageLog(pl.Callback):
    """Logs the stage, the networks' further arguments, whenever it changes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._stage = Whole().name(0)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Compare with the batch before."""
        learner = learner_of(pl_module)
        name = learner.stages.name(learner.images_seen)
        if name == self._stage:
            return
        self._stage = name
        log.info("from image %s on: %s", f"{learner.images_seen:,}", name)
        self.history.note("stage", name, learner.images_seen)
