"""Scores of samples while a run trains, and the weights of its best moment."""

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
from genlab.callbacks.samples import sampled
from genlab.io.schemas import ANY, COUNT, FINITE, checked
from genlab.learners import Learner
from genlab.learners.abilities import Generates
from genlab.networks import Condition
from genlab.networks.styles import own_noise
from genlab.runs.weights import (
    exported_tensors,
    misfit_of_tensors,
    read_weights,
    whole_images_seen,
    write_weights,
)

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

    The samples' latents depend on the seed alone, and noise within a picture on its latent; every
    rank makes and sees its share of them.
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
        self._tensors: dict[str, Tensor] = {}  # the best moment's weights
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
        """What has to be equal for scores of two moments to be compared."""
        return {**self.judge.stamp, "count": self.judge.count}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find the best moment of a resumed run; ValueError for weights of other networks.

        It is the checkpoint's, as an interrupted run may have kept a later one since; or the very
        end, scored after the last checkpoint, of a run that is prolonged.
        """
        learner = learner_of(pl_module)
        if not trainer.is_global_zero or not self._stamp:
            return
        if self._stamp != self.stamp:
            log.warning("scores are measured in another way from now on: the best starts anew")
            self.best, self._tensors = {}, {}
            return
        name = f"evaluation/{self.judge.metric}"
        scored = [row for row in self.history.rows if name in row]
        best = min(scored, key=lambda row: float(row[name]), default=None)
        kept = whole_images_seen(self.best_weights)
        if best and kept == int(best["images_seen"]):
            self.best = self._moment(float(best[name]), kept)
            self._tensors = read_weights(self.best_weights).tensors
        elif self.best and kept != self.best["images_seen"]:
            if problem := misfit_of_tensors(self._tensors, exported_tensors(learner)):
                raise ValueError(problem)
            write_weights(self._tensors, self.best["images_seen"], self.best_weights)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Measure when due."""
        learner = learner_of(pl_module)
        if learner.passed(self.every_images):
            self.measure(trainer, learner)

    def measure(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Score this moment, once."""
        if not isinstance(learner, Generates) or self._measured == learner.images_seen:
            return
        self._measured = learner.images_seen
        require_finite(trainer, learner, learner.state_dict(), "the weights are")
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
            self._tensors = exported_tensors(learner)
            write_weights(self._tensors, learner.images_seen, self.best_weights)

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
        latents = ranks.shard(learner.latents(self.judge.count, noise, labels))
        with own_noise(learner):
            return ranks.gather(self.judge.see(sampled(trainer, learner, latents, _CHUNK)))
