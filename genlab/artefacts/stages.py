"""Where one stage of a run ends and the next begins, in the log and in TensorBoard."""

import logging
from typing import Any

import pytorch_lightning as pl

from genlab.artefacts.history import History
from genlab.learners import Learner

log = logging.getLogger(__name__)


class StageLog(pl.Callback):
    """Says what the networks receive from now on whenever that changes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._stage: dict[str, int] = {}

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Compare with the batch before."""
        assert isinstance(pl_module, Learner)
        stage = pl_module.stage
        if stage == self._stage:
            return
        self._stage = stage
        told = ", ".join(f"{name} {value}" for name, value in stage.items()) or "the whole model"
        log.info("from image %s on: %s", f"{pl_module.images_seen:,}", told)
        self.history.note("stage", told, pl_module.images_seen)
