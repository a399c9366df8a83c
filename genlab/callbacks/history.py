"""The metrics of a run: metrics.csv and TensorBoard."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from genlab.callbacks.adapter import learner_of
from genlab.callbacks.growing_table import GrowingTable
from genlab.errors import CheckpointError, Diverged
from genlab.io.reading import read_csv
from genlab.io.schemas import COUNT, Kind, checked
from genlab.learners import Learner

_EVENTS = "events.out.tfevents.*"
_SCALAR = Kind("a single value", lambda value: isinstance(value, Tensor) and value.shape == ())


class History(pl.Callback):
    """Averages the values that training steps return and writes a row every `every_images` images.

    A value that some batches lack is averaged over the others. The running sums are part of the
    checkpoint, so that a resumed run writes the same rows as an uninterrupted one; for the same
    reason metrics.csv has no clock times.
    """

    def __init__(self, folder: Path, every_images: int) -> None:
        self.folder = folder
        self.every_images = every_images
        self.rows: list[dict[str, str]] = []
        self._table = GrowingTable(folder / "metrics.csv")
        self.writer: SummaryWriter | None = None
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    @property
    def latest(self) -> dict[str, float]:
        """The last value of every metric."""
        merged = {k: v for row in self.rows for k, v in row.items() if v != ""}
        return {name: float(value) for name, value in merged.items() if name != "images_seen"}

    def state_dict(self) -> dict[str, Any]:
        """Lightning's hook."""
        return {"sums": self._sums, "counts": self._counts}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning's hook."""
        checked(state_dict, {"sums": {str: _SCALAR}, "counts": {str: COUNT}})
        if state_dict["sums"].keys() != state_dict["counts"].keys():
            raise ValueError("sums and counts differ")
        self._sums = state_dict["sums"]
        self._counts = state_dict["counts"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the files; a resumed run drops rows that it will write again."""
        learner = learner_of(pl_module)
        images_seen = learner.images_seen
        self._sums = {name: value.to(learner.device) for name, value in self._sums.items()}
        if trainer.is_global_zero:
            place = events_folder(self.folder)
            before = any(place.glob(_EVENTS))
            self.rows = [row for row in self._read() if int(row["images_seen"]) <= images_seen]
            self.writer = SummaryWriter(str(place), purge_step=images_seen + 1 if before else None)
            self.writer.add_text("config", _as_markdown(self.folder / "config.yaml"), images_seen)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Add the batch's values; write a row if it is due."""
        learner = learner_of(pl_module)
        for name, value in outputs.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1
        if learner.passed(self.every_images):
            self.flush(trainer, learner)

    def flush(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Write the averages since the last row, over all ranks, and reset the sums."""
        if not self._sums:
            return
        names = list(self._sums)
        averages = torch.stack([self._sums[name] / self._counts[name] for name in names])
        means = trainer.strategy.reduce(averages, reduce_op="mean").tolist()
        self._sums, self._counts = {}, {}
        self.record(dict(zip(names, means, strict=True)), "train", learner.images_seen)
        if not all(map(math.isfinite, means)):
            values = ", ".join(f"{n}={v:g}" for n, v in zip(names, means, strict=True))
            raise Diverged(
                f"the losses are no longer finite after {learner.images_seen:,} images ({values})"
            )

    def record(self, values: Mapping[str, float], part: str, images_seen: int) -> None:
        """Add values named `part/name` to the row of `images_seen` (first rank only)."""
        if self.writer is None:
            return
        if not self.rows or int(self.rows[-1]["images_seen"]) != images_seen:
            self.rows.append({"images_seen": str(images_seen)})
        named = {f"{part}/{name}": value for name, value in values.items()}
        self.rows[-1].update({name: repr(value) for name, value in named.items()})
        self._table.write(self.rows)
        # One event for all values: add_scalar for each takes ten times as long.
        shown = [Summary.Value(tag=name, simple_value=value) for name, value in named.items()]
        self.writer._get_file_writer().add_summary(Summary(value=shown), images_seen)

    def add_image(self, tag: str, content: bytes, size: tuple[int, int], images_seen: int) -> None:
        """Show an encoded PNG, JPEG or animated GIF of (width, height) in TensorBoard."""
        if self.writer is None:
            return
        image = Summary.Image(
            width=size[0], height=size[1], colorspace=3, encoded_image_string=content
        )
        summary = Summary(value=[Summary.Value(tag=tag, image=image)])
        self.writer._get_file_writer().add_summary(summary, images_seen)

    def note(self, tag: str, text: str, images_seen: int) -> None:
        """Show a line in TensorBoard's text panel."""
        if self.writer is not None:
            self.writer.add_text(tag, text, images_seen)

    def close_with(self, settings: Mapping[str, Any]) -> None:
        """Write the settings and the last metrics for TensorBoard's HPARAMS, and close."""
        if self.writer is not None:
            plain = {k: v for k, v in settings.items() if isinstance(v, bool | int | float | str)}
            for summary in hparams(plain, self.latest):
                self.writer._get_file_writer().add_summary(summary)
        self.close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Flush TensorBoard's writer."""
        self.close()

    def close(self) -> None:
        """Close TensorBoard's writer."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _read(self) -> list[dict[str, str]]:
        path = self._table.path
        rows = read_csv(path, CheckpointError, torn=True) if path.exists() else []
        before = -1
        for number, row in enumerate(rows, 2):
            try:
                _ = [float(value) for value in row.values() if value != ""]
                images_seen = int(row["images_seen"])
            except (KeyError, ValueError) as error:
                raise CheckpointError(f"{path}: line {number} is not a row of metrics") from error
            if images_seen <= before:
                raise CheckpointError(f"{path}: line {number}: images_seen does not ascend")
            before = images_seen
        return [{name: value for name, value in row.items() if value != ""} for row in rows]


def events_folder(run: Path) -> Path:
    """The folder of a run's events: the run folder itself, since TensorBoard names runs by folders.

    Older runs keep theirs in a subfolder.
    """
    return run / "tensorboard" if any((run / "tensorboard").glob(_EVENTS)) else run


def _as_markdown(file: Path) -> str:
    text = file.read_text() if file.exists() else ""
    return "".join(f"    {line}\n" for line in text.splitlines())
