"""Warns, with advice, if a GAN's training goes wrong."""

import logging
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.callbacks.adapter import data_of, learner_of
from genlab.callbacks.diagnosis_rules import Finding, Row, RuleChecker
from genlab.callbacks.history import History
from genlab.callbacks.samples import generate_samples
from genlab.learners import Learner
from genlab.learners.abilities import Generates, PlaysAgainstCritic
from genlab.metrics import nearest

log = logging.getLogger(__name__)

IMAGES = 128  # generated images that are compared with each other


class Diagnosis(pl.Callback):
    """Adds signs of collapse to every row of metrics.csv and logs each finding once.

    Findings are a function of these rows, so that no state has to be saved.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._checker = RuleChecker()
        self._taken = 0  # rows of the history that were checked
        self._scores: Row = {}  # of rows without signs
        self._real_gap = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Repeat the findings before an interruption, without logging them."""
        self._take_new_rows()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure, check the rules and warn after a row was written."""
        learner = learner_of(pl_module)
        plays = isinstance(learner, Generates) and isinstance(learner, PlaysAgainstCritic)
        if not plays or not trainer.is_global_zero:
            return
        if not learner.passed(self.history.every_images):
            return
        signs = {"near_duplicates": self._near_duplicates(trainer, learner)}
        self.history.record(signs, "train", learner.images_seen)
        for finding in self._take_new_rows():
            signs_text = ", ".join(f"{name} {value:.3g}" for name, value in finding.signs.items())
            text = f"{finding.finding} ({signs_text}); {finding.advice}"
            log.warning("%s", text)
            self.history.note("diagnosis", text, learner.images_seen)

    def findings(self) -> list[dict[str, Any]]:
        """All findings of the run for the summary, oldest first."""
        return [finding._asdict() for finding in self._checker.found.values()]

    def _take_new_rows(self) -> list[Finding]:
        """Check new rows; returns new findings.

        Rows with scores alone are merged with the next one that has signs; so are rows of so few
        batches that the generator was not trained.
        """
        new = []
        for row in self.history.rows[self._taken :]:
            signs = {k.split("/", 1)[1]: float(v) for k, v in row.items() if "/" in k}
            if "near_duplicates" in signs and "generator_gradient" in signs:
                new += self._checker.take(int(row["images_seen"]), self._scores | signs)
                self._scores = {}
            else:
                self._scores |= signs
        self._taken = len(self.history.rows)
        return new

    def _near_duplicates(self, trainer: pl.Trainer, learner: Learner) -> float:
        """The share of generated images that have a near duplicate among them.

        A near duplicate is nearer than a quarter of the median distance of as many real images to
        their nearest neighbours.
        """
        if not self._real_gap:
            batch = next(data_of(trainer).held_out("train", IMAGES, IMAGES))
            self._real_gap = float(_gaps(batch.images).median())
        assert isinstance(learner, Generates)
        noise = torch.Generator().manual_seed(learner.noise_seed)
        latents = learner.latents(IMAGES, noise, {})
        images = generate_samples(trainer, learner, latents, IMAGES).cpu()
        return float((_gaps(images) <= self._real_gap / 4).float().mean())


def _gaps(images: Tensor) -> Tensor:
    """The distances (N,) of images uint8 (N, C, H, W) to their nearest neighbours."""
    return nearest(images, images, 2).distances[:, 1]
