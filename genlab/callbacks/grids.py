"""Grids of the same samples and reconstructions as training goes on."""

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
from genlab.callbacks.samples import generate_samples
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
    """Writes grids to samples and reconstructions at the start, during training, and at the end.

    Latents are always the same, drawn with the seed; the reconstructed images are spread evenly
    over the validation part. `evolution.gif` animates the grids. With `every_images="auto"` grids
    are drawn at the intervals of `growing_interval`. A grid of large images has fewer, as many as
    `fitting` allows, and is a JPEG.
    """

    def __init__(
        self, folder: Path, history: History, every_images: int | str, count: int, seed: int
    ) -> None:
        self.folder = folder
        self.history = history
        self.every_images = every_images
        self.count = count
        self.seed = seed
        self._most = count  # images in a grid
        self._originals: Batch | None = None
        self._points: Tensor | None = None  # real points, for data of points

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the images; draw the first grids of a new run."""
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
            log.info("grids show %d images, as many as a file has room for", self._most)
        if are_points(data.image_set.images):
            self._points = take(data.image_set, drawn(data.indices("train"), POINTS)).images
        elif isinstance(learner, Reconstructs):
            indices = data.indices("validation")
            # Spread evenly: data sets may be sorted by class.
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
        """Draw if it is due."""
        learner = learner_of(pl_module)
        every = self.every_images
        if isinstance(every, str):
            every = growing_interval(learner.images_before)
        if trainer.is_global_zero and learner.passed(every):
            self.draw(trainer, learner)

    def finish(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Draw the last grids and the animations."""
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
        """Write grids of the current weights."""
        if isinstance(learner, Generates):
            noise = torch.Generator().manual_seed(self.seed)
            count = self.count if self._points is None else max(self.count, 1000)
            latents = learner.latents(count, noise, {})[: self._most]
            samples = generate_samples(trainer, learner, latents, _CHUNK)
            label = None
            if learner.condition is not None:
                label = shown_label(learner.labels_of(latents), learner.condition.classes)
            self._save("samples", samples, learner.images_seen, label=label)
        if self._originals is not None and isinstance(learner, Reconstructs):
            seed_noise(self.seed)
            images, labels = self._originals
            with evaluating(learner), trainer.precision_plugin.val_step_context():
                views = learner.views(learner.prepare(images), labels)
            shown = max(self._most // len(views), 1)
            rows = side_by_side(*(to_uint8(view[:shown]) for view in views.values()))
            self._save("reconstructions", rows, learner.images_seen, list(views))

    def _files(self, kind: str) -> list[Path]:
        """The existing grids, oldest first."""
        folder = self.folder / kind
        names = ("images-" + 12 * "[0-9]" + suffix for suffix in SUFFIXES)
        return sorted(file for name in names for file in folder.glob(name))

    def _save(
        self,
        kind: str,
        images: Tensor,
        images_seen: int,
        views: Sequence[str] = (),
        label: tuple[Tensor, list[str]] | None = None,
    ) -> None:
        group = max(len(views), 1)
        columns = math.ceil(math.sqrt(len(images)) / group) * group
        caption = f"{', '.join(views) or kind} after {images_seen:,} images"
        if label and not are_points(images):
            image = bounded(by_class(images, *label, caption))
        else:
            image = bounded(sheet(images, caption, columns, self._points))
        content = save_grid(image, self.folder / kind / f"images-{images_seen:012d}")
        self.history.add_image(kind, *thumbnail(image, content), images_seen)
