"""Where one stage of a run ends and the next begins, in the log and in TensorBoard."""

import logging
from typing import Any

import pytorch_lightning as pl

from genlab.callbacks.history import History
from genlab.learners import Learner
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
        assert isinstance(pl_module, Learner)
        told = pl_module.stages.name(pl_module.images_seen)
        if told == self._stage:
            return
        self._stage = told
        log.info("from image %s on: %s", f"{pl_module.images_seen:,}", told)
        self.history.note("stage", told, pl_module.images_seen)
