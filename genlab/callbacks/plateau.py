"""Ending a run whose held-out accuracy no longer improves."""

import logging

import pytorch_lightning as pl

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.history import History
from genlab.callbacks.lifecycle import Lifecycle
from genlab.learners import Learner
from genlab.metrics.level import is_level

log = logging.getLogger(__name__)

_METRIC = "validation/accuracy/"


class Plateau(pl.Callback):
    """Ends a classifier's run when its held-out accuracy, the mean over labels, is level.

    The decision depends on the rows of metrics alone, so that a resumed run ends at the same image.
    Must come after the validation and before the lifecycle.
    """

    def __init__(self, history: History, lifecycle: Lifecycle) -> None:
        self.history = history
        self.lifecycle = lifecycle

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End a run at once that was interrupted at its end."""
        self._look(learner_of(pl_module))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Check the last measurement."""
        self._look(learner_of(pl_module))

    def _look(self, learner: Learner) -> None:
        rows = self.history.rows
        if not rows or int(rows[-1]["images_seen"]) != learner.images_seen:
            return
        measured = [
            sum(values) / len(values)
            for row in rows
            if (values := [float(v) for name, v in row.items() if name.startswith(_METRIC)])
        ]
        if is_level(measured) and learner.images_seen < self.lifecycle.total_images:
            log.info("level at an accuracy of %.3f: finished", measured[-1])
            self.lifecycle.total_images = learner.images_seen
