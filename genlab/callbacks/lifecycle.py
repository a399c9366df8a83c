"""Saving and stopping of a run, agreed by all ranks."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.finite import agreed, require_finite
from genlab.errors import ResourceError
from genlab.io.schemas import FINITE, checked
from genlab.learners import Learner
from genlab.processes import signals, slurm
from genlab.runs.checkpoints import checkpoint_name, prune, set_aside, with_room
from genlab.runs.weights import export_weights, intact_images_seen

log = logging.getLogger(__name__)

Finish = Callable[[pl.Trainer, Learner], None]


class Lifecycle(pl.Callback):
    """Saves at intervals of images or minutes; stops at the run's length, or on SIGINT and SIGTERM.

    A signal only sets a flag; the state is saved after the current batch. SIGUSR1, by which SLURM
    announces a time limit, saves and continues, or makes SLURM start the job again. Must be the
    last callback, so that the state of the others is up to date when it saves.

    Args:
        folder: the run folder.
        total_images: the run's length in images.
        max_minutes: its length in minutes of training, without interruptions.
        every_images, every_minutes: intervals of checkpoints.
        keep: the number of checkpoints to keep.
        finish: functions that are called in order when the run has reached its length.
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
        self.signal: int | None = None  # by which all ranks were stopped
        self._seconds_before = 0.0
        self._started = self._saved = time.monotonic()
        self._received = 0
        self._listening = ExitStack()

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
        """Start the clock and handle signals; a run that has its length is not trained further."""
        learner = learner_of(pl_module)
        self._started = self._saved = time.monotonic()
        self._listening.enter_context(signals.listening(self._on_stop))
        self._received = signals.stop_asked()
        if trainer.is_global_zero and learner.images_seen:
            with self._writing():
                set_aside(self._checkpoints, learner.images_seen)
                self._publish(learner)  # in case a killed run had no time for it
        if any(agreed(trainer, learner, self._over(learner))):
            trainer.should_stop = True

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Save or stop if it is due."""
        learner = learner_of(pl_module)
        now = time.monotonic()
        timely = learner.passed(self.every_images) or (
            self.every_seconds is not None and now - self._saved >= self.every_seconds
        )
        flags = (self._received, self._over(learner), timely, signals.take_save())
        received, over, due, asked = agreed(trainer, learner, *map(int, flags))
        if received or over or due or asked:
            self.save(trainer, learner)
        if asked and not received:
            received = self._saved_on_request(trainer, learner)
        if received or over:
            self.signal = received or None
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Finish a run that has reached its length."""
        learner = learner_of(pl_module)
        self._listening.close()  # from here on a signal ends the run at once
        if self.signal is None:
            (late,) = agreed(trainer, learner, self._received)
            self.signal = late or None
        if self.signal is None:
            for finish in self.finish:
                finish(trainer, learner)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Restore the signal handlers."""
        self._listening.close()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Refuse to save any state of any rank that is not finite."""
        learner = learner_of(pl_module)
        require_finite(trainer, learner, checkpoint, "the run's state is")

    def save(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Write a checkpoint and the exported weights; Diverged if they are not finite."""
        with self._writing():
            trainer.save_checkpoint(self._checkpoints / checkpoint_name(learner.images_seen))
            if trainer.is_global_zero:
                self._publish(learner)
        self._saved = time.monotonic()

    def _publish(self, learner: Learner) -> None:
        """Remove old checkpoints and export the newest one's weights, unless they are exported."""
        prune(self._checkpoints, self.keep)
        weights = self.folder / "weights.safetensors"
        if intact_images_seen(weights) != learner.images_seen:
            with_room(self._checkpoints, lambda: export_weights(learner, weights))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn errors of writing into a ResourceError that says what to do."""
        try:
            yield
        except OSError as error:
            file = Path(str(error.filename2 or error.filename or self.folder))
            raise ResourceError(
                f"{file.name} cannot be written ({error.strerror}); earlier ones are intact: "
                f"make room and continue with resume={self.folder}"
            ) from error

    def _saved_on_request(self, trainer: pl.Trainer, learner: Learner) -> int:
        """Log what SIGUSR1 led to; returns the signal to stop with if SLURM restarts the job."""
        (requeued,) = agreed(trainer, learner, trainer.is_global_zero and slurm.requeue())
        then = "SLURM will start the job again" if requeued else "continuing"
        log.info("saved after %s images because of SIGUSR1: %s", f"{learner.images_seen:,}", then)
        return signal.SIGUSR1 if requeued else 0

    @property
    def _checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def _over(self, learner: Learner) -> bool:
        return learner.images_seen >= self.total_images or (
            self.max_seconds is not None and self.seconds >= self.max_seconds
        )

    def _on_stop(self, number: int) -> None:
        self._received = number
