"""Grids of the same samples and reconstructions, time after time."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.callbacks.adapter import data_of, learner_of
from genlab.callbacks.history import History
from genlab.callbacks.samples import sampled
from genlab.data.image_set import drawn
from genlab.data.stream import Batch, on_device, take
from genlab.drawing.animations import save_gif
from genlab.drawing.image_grid import SUFFIXES, bounded, fitting, save_grid, thumbnail
from genlab.drawing.labelled import by_class, shown_label
from genlab.drawing.sheets import POINTS, are_points, sheet, side_by_side
from genlab.learners import Learner
from genlab.learners.abilities import Generates, Reconstructs
from genlab.learners.learner import evaluating, seed_noise
from genlab.pixels import to_uint8
from genlab.schedules import growing_interval

log = logging.getLogger(__name__)

_CHUNK = 64
_KINDS = ("samples", "reconstructions")


class Grids(pl.Callback):
    """Writes grids to samples and reconstructions at the start, as it goes, and at the end.

    Latents are drawn from the seed, always the same noise; the reconstructed images are
    spread over the validation part. `evolution.gif` shows the sample grids one after another.
    With `every_images="auto"` they are drawn at the intervals of `growing_interval`.
    Of large pictures a grid has fewer, as many as `fitting` has room for, and is a JPEG.
    """

    def __init__(
        self, folder: Path, history: History, every_images: int | str, count: int, seed: int
    ) -> None:
        self.folder = folder
        self.history = history
        self.every_images = every_images
        self.count = count
        self.seed = seed
        self._most = count  # in a grid
        self._originals: Batch | None = None
        self._points: Tensor | None = None  # real ones, where the images are points

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Fix latents and images; draw the first grids of a new run."""
        learner = learner_of(pl_module)
        if not trainer.is_global_zero:
            return
        for kind in _KINDS:
            for file in self._files(kind):
                if int(file.stem.removeprefix("images-")) > learner.images_seen:
                    file.unlink()  # it will be drawn again
        data = data_of(trainer)
        self._most = fitting(*data.image_set.images.shape[-2:])
        if self._most < self.count and not learner.images_seen:
            log.info("grids show %d pictures, as many as a file has room for", self._most)
        if are_points(data.image_set.images):
            self._points = take(data.image_set, drawn(data.indices("train"), POINTS)).images
        elif isinstance(learner, Reconstructs):
            indices = data.indices("validation")
            # Spread over the part: sets may be sorted by their classes.
            count = max(min(self.count, self._most) // 2, 1)
            places = np.linspace(0, len(indices) - 1, min(count, len(indices)))
            if len(indices):
                batch = take(data.image_set, indices[places.round().astype(int)])
                self._originals = on_device(batch, learner.device)
        if not learner.images_seen:
            self.draw(trainer, learner)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Draw when due."""
        learner = learner_of(pl_module)
        every = self.every_images
        if isinstance(every, str):
            every = growing_interval(learner.images_before)
        if trainer.is_global_zero and learner.passed(every):
            self.draw(trainer, learner)

    def finish(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Draw the last grids and the evolution."""
        if not trainer.is_global_zero:
            return
        self.draw(trainer, learner)
        for kind in _KINDS:
            frames = self._files(kind)
            gif = self.folder / kind / "evolution.gif"
            if len(frames) > 1:
                size = save_gif(frames, gif)
                tag = f"{kind}/evolution"
                self.history.add_image(tag, gif.read_bytes(), size, learner.images_seen)

    def draw(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Write the grids of this moment."""
        if isinstance(learner, Generates):
            noise = torch.Generator().manual_seed(self.seed)
            count = self.count if self._points is None else max(self.count, 1000)
            latents = learner.latents(count, noise, {})[: self._most]
            made = sampled(trainer, learner, latents, _CHUNK)
            told = None
            if learner.condition is not None:
                told = shown_label(learner.labels_of(latents), learner.condition.classes)
            self._save("samples", made, learner.images_seen, told=told)
        if self._originals is not None and isinstance(learner, Reconstructs):
            seed_noise(self.seed)
            images, labels = self._originals
            with evaluating(learner), trainer.precision_plugin.val_step_context():
                views = learner.views(learner.prepare(images), labels)
            shown = max(self._most // len(views), 1)
            rows = side_by_side(*(to_uint8(view[:shown]) for view in views.values()))
            self._save("reconstructions", rows, learner.images_seen, list(views))

    def _files(self, kind: str) -> list[Path]:
        """The grids that there are, oldest first."""
        folder = self.folder / kind
        names = ("images-" + 12 * "[0-9]" + suffix for suffix in SUFFIXES)
        return sorted(file for name in names for file in folder.glob(name))

    def _save(
        self,
        kind: str,
        pictures: Tensor,
        images_seen: int,
        views: Sequence[str] = (),
        told: tuple[Tensor, list[str]] | None = None,
    ) -> None:
        group = max(len(views), 1)
        columns = math.ceil(math.sqrt(len(pictures)) / group) * group
        caption = f"{', '.join(views) or kind} after {images_seen:,} images"
        if told and not are_points(pictures):
            image = bounded(by_class(pictures, *told, caption))
        else:
            image = bounded(sheet(pictures, caption, columns, self._points))
        content = save_grid(image, self.folder / kind / f"images-{images_seen:012d}")
        self.history.add_image(kind, *thumbnail(image, content), images_seen)
