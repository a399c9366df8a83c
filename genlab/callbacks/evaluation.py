"""Scores of samples while a run trains, and the weights with the best score."""

import logging
from pathlib import Path
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab import ranks
from genlab.callbacks.adapter import learner_of
from genlab.callbacks.finite import require_finite
from genlab.callbacks.history import History
from genlab.callbacks.samples import generate_samples
from genlab.io.schemas import ANY, COUNT, FINITE, checked
from genlab.learners import Learner
from genlab.learners.abilities import Generates
from genlab.networks import Condition
from genlab.networks.styles import own_noise
from genlab.runs.weights import (
    exported_tensors,
    intact_images_seen,
    read_weights,
    tensors_mismatch,
    write_weights,
)

log = logging.getLogger(__name__)

_CHUNK = 250


class SampleScorer(Protocol):
    """Scores samples against real images."""

    count: int
    """The number of samples to score."""
    metric: str
    """The score that decides which weights are best; lower is better."""

    @property
    def stamp(self) -> dict[str, Any]:
        """What scores depend on besides the samples."""
        ...

    def target_labels(
        self, condition: Condition | None, count: int, seed: int
    ) -> dict[str, Tensor]:
        """Labels (count,) to condition the samples on."""
        ...

    def features_of(self, images: Tensor) -> Tensor:
        """Features (N, D), on the CPU, of images uint8 (N, C, H, W)."""
        ...

    def score(self, features: Tensor) -> dict[str, float]:
        """Scores by name of features (count, D)."""
        ...


class Evaluation(pl.Callback):
    """Scores samples every `every_images` images and exports the weights with the best score.

    The samples' latents depend on the seed alone, and noise within an image on its latent; every
    rank generates its share of them and computes their features.
    """

    def __init__(
        self, best: Path, history: History, scorer: SampleScorer, every_images: int, seed: int
    ) -> None:
        self.best_weights = best
        self.history = history
        self.scorer = scorer
        self.every_images = every_images
        self.seed = seed
        self.best: dict[str, Any] = {}
        self._tensors: dict[str, Tensor] = {}  # the weights with the best score
        self._measured = -1
        self._stamp: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """Lightning's hook."""
        return {"stamp": self.stamp, "best": self.best, "weights": self._tensors}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning's hook."""
        checked(state_dict, {"stamp": {str: ANY}, "best?": {str: ANY}, "weights?": {str: ANY}})
        self._stamp = state_dict["stamp"]
        self.best, self._tensors = state_dict.get("best", {}), state_dict.get("weights", {})
        if self.best:
            checked(self.best, {"images_seen": COUNT, "value": FINITE})

    @property
    def stamp(self) -> dict[str, Any]:
        """What has to be equal for two scores to be comparable."""
        return {**self.scorer.stamp, "count": self.scorer.count}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restore the best score of a resumed run; ValueError for weights of other networks.

        It is the checkpoint's, because an interrupted run may have exported later weights since; or
        the score at the end, measured after the last checkpoint, of a run that is continued.
        """
        learner = learner_of(pl_module)
        if not trainer.is_global_zero or not self._stamp:
            return
        if self._stamp != self.stamp:
            log.warning("scores are measured differently from now on: earlier ones do not count")
            self.best, self._tensors = {}, {}
            return
        name = f"evaluation/{self.scorer.metric}"
        scored = [row for row in self.history.rows if name in row]
        best = min(scored, key=lambda row: float(row[name]), default=None)
        kept = intact_images_seen(self.best_weights)
        if best and kept == int(best["images_seen"]):
            self.best = self._record(float(best[name]), kept)
            self._tensors = read_weights(self.best_weights).tensors
        elif self.best and kept != self.best["images_seen"]:
            if problem := tensors_mismatch(self._tensors, exported_tensors(learner)):
                raise ValueError(problem)
            write_weights(self._tensors, self.best["images_seen"], self.best_weights)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure if it is due."""
        learner = learner_of(pl_module)
        if learner.passed(self.every_images):
            self.measure(trainer, learner)

    def measure(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Score samples of the current weights, once."""
        if not isinstance(learner, Generates) or self._measured == learner.images_seen:
            return
        self._measured = learner.images_seen
        require_finite(trainer, learner, learner.state_dict(), "the weights are")
        features = self._features(trainer, learner)
        if not trainer.is_global_zero:
            return
        scores = self.scorer.score(features)
        self.history.record(scores, "evaluation", learner.images_seen)
        value = scores[self.scorer.metric]
        best = not self.best or value < self.best["value"]
        log.info(
            "after %s images: %s %.4g%s",
            f"{learner.images_seen:,}",
            self.scorer.metric,
            value,
            ", the best so far" if best else "",
        )
        if best:
            self.best = self._record(value, learner.images_seen)
            self._tensors = exported_tensors(learner)
            write_weights(self._tensors, learner.images_seen, self.best_weights)

    def _record(self, value: float, images_seen: int) -> dict[str, Any]:
        return {
            "metric": f"evaluation/{self.scorer.metric}",
            "value": value,
            "images_seen": images_seen,
            "weights": self.best_weights.name,
        }

    def _features(self, trainer: pl.Trainer, learner: Learner) -> Tensor:
        """Features (count, D) of all samples."""
        assert isinstance(learner, Generates)
        noise = torch.Generator().manual_seed(self.seed)
        labels = self.scorer.target_labels(learner.condition, self.scorer.count, self.seed)
        latents = ranks.shard(learner.latents(self.scorer.count, noise, labels))
        with own_noise(learner):
            return ranks.gather(
                self.scorer.features_of(generate_samples(trainer, learner, latents, _CHUNK))
            )
