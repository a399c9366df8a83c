"""One player that classifies: every label of a data set at once."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.learners.learner import Learner, Losses, OptimizerFactory
from genlab.networks import Classifier
from genlab.networks.autoencoder import Corruption
from genlab.schedules import Schedule, Stages


class Supervised(Learner):
    """Minimises the cross-entropy summed over the labels.

    Args:
        classifier: images to logits by label name.
        optimizer: makes the optimizer from parameters.
        corruption: of the images that it learns from; None for none.
        rate, stages: see `Learner`.
    """

    def __init__(
        self,
        classifier: Classifier,
        optimizer: OptimizerFactory,
        corruption: Corruption | None = None,
        rate: float | Schedule = 1.0,
        stages: Stages | None = None,
    ) -> None:
        super().__init__(rate, stages)
        self.classifier = classifier
        self.optimizer = optimizer
        self.corruption = corruption

    @property
    def exported(self) -> nn.Module:
        """The classifier."""
        return self.classifier

    def optimizers_of_players(self) -> list[torch.optim.Optimizer]:
        """The one player's optimizer."""
        return [self.optimizer(self.classifier.parameters())]

    def play(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Predict, compare, step."""
        if self.corruption:
            images = self.corruption(images, -1.0, 1.0)
        predicted = self.classifier(images, **self.stage)
        logits = {name: value.float() for name, value in predicted.items()}
        loss = torch.stack([F.cross_entropy(logits[name], labels[name]) for name in logits]).sum()
        self.descend(0, loss)
        hits = [(logits[name].argmax(1) == labels[name]).float().mean() for name in logits]
        return {"loss": loss.detach(), "accuracy": torch.stack(hits).mean()}

    @torch.inference_mode()
    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> Losses:
        """Accuracy of each label, (B,) of 0 and 1 per image."""
        return {
            f"accuracy/{name}": (logits.argmax(1) == labels[name]).float()
            for name, logits in self.classifier(images).items()
        }

    @torch.inference_mode()
    def encode(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """(B, C, H, W) in [-1, 1] to the features below the heads, "values" (B, features)."""
        return {"values": self.classifier.features(images).float()}
