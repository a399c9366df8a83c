"""Ending runs that a search prunes."""

from typing import Any

import pytorch_lightning as pl

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.history import History
from genlab.callbacks.listener import Listener, objective_among
from genlab.errors import Pruned


class Pruning(pl.Callback):
    """Reports values of the objective to a search's listener; raises Pruned if it says so."""

    def __init__(self, history: History, objective: str | None, listener: Listener) -> None:
        self.history = history
        self.objective = objective
        self.listener = listener
        self._reported = 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Report a new value."""
        learner = learner_of(pl_module)
        row = self.history.rows[-1] if self.history.rows else {}
        name = objective_among(row, self.objective)
        if name is None or int(row["images_seen"]) == self._reported:
            return
        self._reported = int(row["images_seen"])
        # By its number, because images seen at a measurement depend on the batch size.
        number = sum(name in earlier for earlier in self.history.rows)
        if self.listener.hopeless(float(row[name]), number):
            raise Pruned(f"pruned after {learner.images_seen:,} images: other trials are better")
