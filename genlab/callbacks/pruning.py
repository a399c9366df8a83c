"""The end of runs that a search finds hopeless."""

from typing import Any

import pytorch_lightning as pl

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.history import History
from genlab.callbacks.listener import Listener, objective_among
from genlab.errors import Pruned


class Pruning(pl.Callback):
    """Tells a search's listener every new value of the objective; raises Pruned at its word."""

    def __init__(self, history: History, objective: str | None, listener: Listener) -> None:
        self.history = history
        self.objective = objective
        self.listener = listener
        self._told = 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Tell when there is something new."""
        learner = learner_of(pl_module)
        row = self.history.rows[-1] if self.history.rows else {}
        name = objective_among(row, self.objective)
        if name is None or int(row["images_seen"]) == self._told:
            return
        self._told = int(row["images_seen"])
        # By its number, since batches of other sizes measure after other numbers of images.
        number = sum(name in earlier for earlier in self.history.rows)
        if self.listener.hopeless(float(row[name]), number):
            raise Pruned(f"given up after {learner.images_seen:,} images: others do better")
