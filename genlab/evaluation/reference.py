"""Scores of generated images against real ones, in the features of one network."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genlab.config.build import build_data
from genlab.config.run import RunConfig
from genlab.data.image_set import DRAW_SEED, drawn
from genlab.data.module import ImageData
from genlab.data.progress import tracked
from genlab.data.stream import take
from genlab.errors import ConfigError
from genlab.evaluation.feature_networks import CHOICES, feature_network
from genlab.learners import Learner
from genlab.learners.abilities import Generates
from genlab.metrics import (
    FeatureNetwork,
    PointFeatures,
    combined,
    extract,
    frechet_distance,
    inception_score,
    kernel_distance,
    likeness,
    manifold_scores,
    modes,
)
from genlab.networks import Condition
from genlab.processes import launch
from genlab.words import one_of

BATCH = 250
# Scores of `Reference.score`; also class_divergence/LABEL if there are several labels.
WHILE_TRAINING = (
    "frechet_distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "high_quality",
    "modes_covered",
    "modes_known",
    "class_divergence",
)
FEWEST = 10  # images, for distances to neighbours and a covariance


@dataclass
class Reference:
    """Real images of one split, whose features generated images are scored against.

    A random part of the split if there are more, see `drawn`. `labels` (T,) by name are those of
    the training part, for the shares that classes should have.
    """

    network: FeatureNetwork
    images: Tensor
    labels: dict[str, Tensor]
    classes: dict[str, list[str]]
    count: int
    metric: str = field(default="frechet_distance", init=False)

    @property
    def stamp(self) -> dict[str, Any]:
        """What scores depend on besides the generated images."""
        return {
            "features": self.network.name,
            "features_sha256": self.network.weights_sha256,
            "resizer": self.network.resizer,
            "draw_seed": DRAW_SEED,
        }

    @cached_property
    def features(self) -> Tensor:
        """Features (N, D) of the real images."""
        return self.features_of(self.images)

    def target_labels(
        self, condition: Condition | None, count: int, seed: int
    ) -> dict[str, Tensor]:
        """Labels (count,) to condition samples on: those of training images, all equally often.

        Empty for a model without a condition.
        """
        if condition is None:
            return {}
        total = len(next(iter(self.labels.values())))
        order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
        rows = order.repeat(-(-count // total))[:count]
        return {name: self.labels[name][rows] for name in condition.classes}

    def features_of(self, images: Tensor, task: str = "") -> Tensor:
        """Features (N, D), on the CPU, of images uint8 (N, C, H, W); progress of a named task."""
        batches = images.split(BATCH)
        return extract(self.network, tracked(task, batches) if task else batches)

    def score(self, features: Tensor) -> dict[str, float]:
        """Scores of features (N, D): distance, fidelity, variety, modes."""
        scores = {"frechet_distance": frechet_distance(self.features, features)}
        manifold = manifold_scores(self.features, features)
        scores |= {
            "precision": manifold.precision,
            "recall": manifold.recall,
            "density": manifold.density,
            "coverage": manifold.coverage,
        }
        if isinstance(self.network, PointFeatures):
            close = self.network.close(features)
            scores["high_quality"] = float(close.float().mean())
            features = features[close]  # only these count for a mode
        return scores | self._class_scores(features)

    def _class_scores(self, features: Tensor) -> dict[str, float]:
        """Coverage of classes: label by label and, for up to 1000 combinations, all labels."""
        predicted = most_probable(self.network.classes(features))
        sizes = {name: len(kinds) for name, kinds in self.classes.items() if name in predicted}
        scores: dict[str, float] = {}
        if len(sizes) > 1:
            for name, size in sizes.items():
                balance = modes(self.labels[name], predicted[name], size)
                scores[f"class_divergence/{name}"] = balance.divergence
        generated = combined({name: predicted[name] for name in sizes}, sizes)
        real = combined({name: self.labels[name] for name in sizes}, sizes)
        if generated and real:
            found = modes(real[0], generated[0], real[1])
            scores["modes_covered"] = found.covered
            scores["modes_known"] = found.known
            scores["class_divergence"] = found.divergence
        return scores

    def score_all(
        self, images: Tensor, features: Tensor, conditions: dict[str, Tensor]
    ) -> dict[str, float]:
        """All scores of generated images, uint8 (N, C, H, W), and their features (N, D).

        `conditions` are the labels (N,) that they were conditioned on. Multi-scale similarity is
        that of random pairs. The name Inception Score is used only for classes by InceptionV3.
        """
        scores = self.score(features)
        kernel = kernel_distance(self.features, features)
        scores["kernel_distance"] = kernel.mean
        scores["kernel_distance_deviation"] = kernel.standard_deviation
        probabilities = self.network.classes(features)
        real_probabilities = self.network.classes(self.features)
        for name, p in probabilities.items():
            kind = "inception_score" if name == "imagenet" else f"classifier_score/{name}"
            scores[kind] = inception_score(p)
            scores[f"{kind}/real"] = inception_score(real_probabilities[name])
            if name in conditions:
                hits = p.argmax(1) == conditions[name]
                scores[f"label_accuracy/{name}"] = float(hits.float().mean())
        similar, of_real = likeness(images), likeness(self.images)
        if similar is not None and of_real is not None:
            scores |= {"ms_ssim": similar, "ms_ssim/real": of_real}
        return scores


def build_reference(
    config: RunConfig,
    data: ImageData,
    split: str,
    count: int,
    features: str,
    device: torch.device,
    key: str = "features",
) -> Reference:
    """`count` images of a split, see `drawn`, and the network that `features` names.

    Raises FeaturesUnavailable if the network is not available, ConfigError for an unknown name.
    """
    without = "features=none" if key == "features" else "evaluate.every_images=null"
    network = feature_network(features, config, device, key, instead=f"{without} avoids this")
    image_set, training = data.image_set, data.indices("train")
    return Reference(
        network,
        take(image_set, drawn(data.indices(split), count)).images,
        {name: torch.from_numpy(values[training]) for name, values in image_set.labels.items()},
        image_set.classes,
        count,
    )


def reference_for(config: RunConfig, learner: Learner) -> Reference | None:
    """The reference for scores while a learner trains, of the validation part; None if disabled.

    Raises ConfigError for a learner that makes no samples, and for too few images to score with.
    """
    wanted = config.evaluate
    one_of("evaluate.features", wanted.features, CHOICES)
    if not wanted.every_images:
        return None
    if not isinstance(learner, Generates):
        raise ConfigError(
            f"evaluate.every_images={wanted.every_images}: this model makes no samples to "
            "score; set it to null"
        )
    data = build_data(config)
    for key, images in (
        ("evaluate.count", wanted.count),
        ("data.validation", len(data.indices("validation"))),
    ):
        if images < FEWEST:
            raise ConfigError(f"{key} gives {images} images to score with: {FEWEST} are needed")
    device = launch.device(config.trainer.accelerator)
    count, features = wanted.count, wanted.features
    return build_reference(config, data, "validation", count, features, device, "evaluate.features")


def most_probable(probabilities: dict[str, Tensor]) -> dict[str, Tensor]:
    """The most probable class (N,) of every label."""
    return {name: p.argmax(1) for name, p in probabilities.items()}
