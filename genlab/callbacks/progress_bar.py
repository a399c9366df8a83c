"""The progress bar: images, images per second, time left, losses."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.lifecycle import Lifecycle
from genlab.console import clear_waiting, console, say
from genlab.words import printable

_BAR_SECONDS = 0.5
_LINE_SECONDS = 10.0
_LEAST_BAR = 6  # columns
_MOST_BAR = 24


def fitted(values: Mapping[str, float], progress: Sequence[str], width: int | None = None) -> str:
    """A line with a batch's values and the progress, in `width` columns; None for no limit.

    Losses come first, then the share of the run that is done, and other values if there is room.
    Gradient norms are left out.
    """
    losses = {name: value for name, value in values.items() if name.endswith("loss")}
    others = {n: v for n, v in values.items() if n not in losses and not n.endswith("gradient")}
    # Short enough for narrow terminals: "critic 1.41  generator 0.576".
    parts = [f"{name.removesuffix('_loss')} {value:#.3g}" for name, value in losses.items()]
    parts += [*progress, *(f"{name} {value:#.3g}" for name, value in others.items())]
    if width is None:
        return "  ".join(parts)
    line = ""
    for part in parts:
        longer = f"{line}  {part}" if line else part
        if len(longer) <= width:
            line = longer
    return line


class ProgressBar(pl.Callback):
    """A progress bar on a terminal, a plain line now and then elsewhere; on the first rank only."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self._bar: Progress | None = None
        self._column = BarColumn()
        self._task = TaskID(0)
        self._shown = (0.0, 0)  # time and images seen of the last update
        self._speed = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the bar."""
        learner = learner_of(pl_module)
        self._shown = (time.monotonic(), learner.images_seen)
        if trainer.is_global_zero and console().is_terminal:
            clear_waiting()
            self._column = BarColumn(bar_width=_LEAST_BAR)
            self._bar = Progress(
                self._column,
                TextColumn("{task.fields[text]}", markup=False),
                console=console(),
                auto_refresh=False,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=1.0, text="first batch ...")
            self._bar.refresh()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Refresh if enough time has passed."""
        learner = learner_of(pl_module)
        now, (then, images) = time.monotonic(), self._shown
        interval = _BAR_SECONDS if self._bar else _LINE_SECONDS
        if not trainer.is_global_zero or now - then < interval:
            return
        current = (learner.images_seen - images) / (now - then)
        self._speed = 0.7 * self._speed + 0.3 * current if self._speed else current
        self._shown = (now, learner.images_seen)
        share, left = self._position(learner.images_seen)
        values = {name: float(value) for name, value in outputs.items()}
        progress = [
            f"{share:.0%}",
            f"{timedelta(seconds=round(left))} left",
            f"{learner.images_seen:,} images",
            f"{self._speed:,.0f} images/s",
        ]
        if self._bar:
            width = console().width
            text = fitted(values, progress, width - _LEAST_BAR - 1)
            self._column.bar_width = min(width - len(text) - 1, _MOST_BAR)
            self._bar.update(self._task, completed=share, text=printable(text))
            self._bar.refresh()
        else:
            say(fitted(values, progress))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove the bar."""
        if self._bar:
            self._bar.stop()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Remove the bar."""
        if self._bar:
            self._bar.stop()

    def _position(self, images_seen: int) -> tuple[float, float]:
        """The share of the run that is done, and the seconds left."""
        run = self.lifecycle
        share = images_seen / run.total_images
        left = (run.total_images - images_seen) / max(self._speed, 1e-9)
        if run.max_seconds is not None and run.max_seconds - run.seconds < left:
            share = max(share, run.seconds / run.max_seconds)
            left = run.max_seconds - run.seconds
        return min(share, 1.0), max(left, 0.0)
