"""Scores of samples while a run trains, and the weights of its best moment."""

import logging
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab import ranks
from genlab.artefacts.history import History
from genlab.artefacts.samples import sampled
from genlab.artefacts.weights import export_weights, images_seen_of
from genlab.errors import CheckpointError
from genlab.learners import Learner
from genlab.learners.abilities import Generates
from genlab.networks import Condition
from genlab.schemas import ANY, checked

log = logging.getLogger(__name__)

_CHUNK = 250


class Judge(Protocol):
    """Sees pictures and scores what it has seen against real ones."""

    count: int
    """Pictures that it asks for."""
    metric: str
    """The score that says which moment is best; less is better."""

    @property
    def stamp(self) -> dict[str, Any]:
        """What scores depend on besides the pictures."""
        ...

    def asked(self, condition: Condition | None, count: int, seed: int) -> dict[str, Tensor]:
        """Labels (count,) that a conditional model is to make pictures of."""
        ...

    def see(self, pictures: Tensor) -> Tensor:
        """Uint8 (N, C, H, W) to features (N, D) on the CPU."""
        ...

    def score(self, features: Tensor) -> dict[str, float]:
        """Features (count, D) to scores by name."""
        ...


class Evaluation(pl.Callback):
    """Has samples scored every so many images and exports the weights that did best.

    The samples' latents depend on the seed alone; every rank makes and sees its share of them.
    """

    def __init__(
        self, best: Path, history: History, judge: Judge, every_images: int, seed: int
    ) -> None:
        self.best_weights = best
        self.history = history
        self.judge = judge
        self.every_images = every_images
        self.seed = seed
        self.best: dict[str, Any] = {}
        self._measured = -1
        self._stamp: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """Lightning's hook."""
        return {"stamp": self.stamp}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning's hook."""
        self._stamp = checked(state_dict, {"stamp": {str: ANY}})["stamp"]

    @property
    def stamp(self) -> dict[str, Any]:
        """What has to be equal for scores of two moments to be compared."""
        return {**self.judge.stamp, "count": self.judge.count}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find the best moment of a resumed run in its metrics, where its weights are still there.

        They are gone where an interrupted run had already kept better ones, which it will again.
        """
        if not trainer.is_global_zero or not self._stamp:
            return
        if self._stamp != self.stamp:
            log.warning("scores are measured in another way from now on: the best starts anew")
            return
        name = f"evaluation/{self.judge.metric}"
        scored = [row for row in self.history.rows if name in row]
        best = min(scored, key=lambda row: float(row[name]), default=None)
        if best and _images_seen(self.best_weights) == int(best["images_seen"]):
            self.best = self._moment(float(best[name]), int(best["images_seen"]))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure when due."""
        assert isinstance(pl_module, Learner)
        if pl_module.passed(self.every_images):
            self.measure(trainer, pl_module)

    def measure(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Score this moment, once."""
        if not isinstance(learner, Generates) or self._measured == learner.images_seen:
            return
        self._measured = learner.images_seen
        features = self._seen(trainer, learner)
        if not trainer.is_global_zero:
            return
        scores = self.judge.score(features)
        self.history.record(scores, "evaluation", learner.images_seen)
        value = scores[self.judge.metric]
        best = not self.best or value < self.best["value"]
        log.info(
            "after %s images: %s %.4g%s",
            f"{learner.images_seen:,}",
            self.judge.metric,
            value,
            ", the best so far" if best else "",
        )
        if best:
            self.best = self._moment(value, learner.images_seen)
            export_weights(learner, self.best_weights)

    def _moment(self, value: float, images_seen: int) -> dict[str, Any]:
        return {
            "metric": f"evaluation/{self.judge.metric}",
            "value": value,
            "images_seen": images_seen,
            "weights": self.best_weights.name,
        }

    def _seen(self, trainer: pl.Trainer, learner: Learner) -> Tensor:
        """Features of all samples, (count, D)."""
        assert isinstance(learner, Generates)
        noise = torch.Generator().manual_seed(self.seed)
        labels = self.judge.asked(learner.condition, self.judge.count, self.seed)
        latents = ranks.own(learner.latents(self.judge.count, noise, labels))
        return ranks.joined(self.judge.see(sampled(trainer, learner, latents, _CHUNK)))


def _images_seen(weights: Path) -> int | None:
    try:
        return images_seen_of(weights)
    except CheckpointError as error:
        log.warning("%s; the best starts anew", error)
        return None
