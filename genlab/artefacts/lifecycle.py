"""When a run saves and when it stops, agreed by all ranks."""

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch

from genlab.artefacts.checkpoint_io import checkpoint_name, prune, with_room
from genlab.artefacts.weights import export_weights
from genlab.errors import Diverged, ResourceError
from genlab.learners import Learner
from genlab.schemas import FINITE, checked

log = logging.getLogger(__name__)

Finish = Callable[[pl.Trainer, Learner], None]


class Lifecycle(pl.Callback):
    """Saves every so many images or minutes, stops at the run's length or on SIGINT and SIGTERM.

    A signal only sets a flag; the state is saved when the batch under way is done. Must be the last
    callback, so that what the others carry is up to date when it saves.

    Args:
        folder: the run folder.
        total_images: the run's length in images.
        max_minutes: its length in minutes of training, interruptions not counted.
        every_images, every_minutes: when to save.
        keep: how many checkpoints stay.
        finish: what to do, in order, when the run has reached its length.
    """

    def __init__(
        self,
        folder: Path,
        *,
        total_images: int,
        max_minutes: float | None,
        every_images: int | None,
        every_minutes: float | None,
        keep: int,
        finish: list[Finish],
    ) -> None:
        self.folder = folder
        self.total_images = total_images
        self.max_seconds = None if max_minutes is None else 60 * max_minutes
        self.every_images = every_images
        self.every_seconds = None if every_minutes is None else 60 * every_minutes
        self.keep = keep
        self.finish = finish
        self.signal: int | None = None
        self._seconds_before = 0.0
        self._started = self._saved = time.monotonic()
        self._handlers: dict[int, Any] = {}

    @property
    def seconds(self) -> float:
        """Seconds of training, over all interruptions."""
        return self._seconds_before + time.monotonic() - self._started

    def state_dict(self) -> dict[str, Any]:
        """Lightning's hook."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning's hook."""
        self._seconds_before = checked(state_dict, {"seconds": FINITE})["seconds"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock and listen for signals; a run that has its length trains no more."""
        assert isinstance(pl_module, Learner)
        self._started = self._saved = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._on_signal)
        (over,) = _agree(trainer, pl_module, self._over(pl_module))
        if over:
            trainer.should_stop = True

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Save or stop when it is time."""
        assert isinstance(pl_module, Learner)
        now = time.monotonic()
        over = self._over(pl_module)
        due = pl_module.passed(self.every_images) or (
            self.every_seconds is not None and now - self._saved >= self.every_seconds
        )
        received, stop, save = _agree(trainer, pl_module, self.signal or 0, over, due)
        if received or stop or save:
            self.save(trainer, pl_module)
        if received or stop:
            self.signal = received or None
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Finish a run that reached its length."""
        assert isinstance(pl_module, Learner)
        self._restore_handlers()
        if self.signal is None:
            for finish in self.finish:
                finish(trainer, pl_module)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Give the signals back."""
        self._restore_handlers()

    def save(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Write a checkpoint and the exported weights; never of weights that are not finite."""
        if not all(bool(p.isfinite().all()) for p in learner.parameters()):
            raise Diverged(
                f"the weights are no longer finite after {learner.images_seen:,} images; "
                "the last checkpoint holds the last good state: lower the learning rate, or train "
                "with trainer.precision=32-true"
            )
        folder = self.folder / "checkpoints"
        try:
            trainer.save_checkpoint(folder / checkpoint_name(learner.images_seen))
            if trainer.is_global_zero:
                prune(folder, self.keep)
                weights = self.folder / "weights.safetensors"
                with_room(folder, lambda: export_weights(learner, weights))
        except OSError as error:
            raise ResourceError(
                f"{error.filename2 or error.filename or folder}: cannot be written "
                f"({error.strerror}); earlier checkpoints are whole: make room and continue with "
                f"resume={self.folder}"
            ) from error
        self._saved = time.monotonic()

    def _over(self, learner: Learner) -> bool:
        return learner.images_seen >= self.total_images or (
            self.max_seconds is not None and self.seconds >= self.max_seconds
        )

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()


def _agree(trainer: pl.Trainer, learner: Learner, *flags: int) -> tuple[int, ...]:
    """The largest of each flag over all ranks."""
    if trainer.world_size == 1:
        return flags
    shared = torch.tensor(flags, device=learner.device)
    torch.distributed.all_reduce(shared, op=torch.distributed.ReduceOp.MAX)
    return tuple(shared.tolist())
