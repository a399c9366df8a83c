"""What generated pictures score against real ones, in the features of one network."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genlab.config.build import build_data
from genlab.config.run import RunConfig
from genlab.data.image_set import DRAW_SEED, drawn
from genlab.data.module import ImageData
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
    nearest,
)
from genlab.networks import Condition
from genlab.processes import launch
from genlab.words import one_of

BATCH = 250
# What `Reference.score` may tell, and class_divergence/LABEL where there are several labels.
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
    """Real images of one split, as the network sees them; it scores generated ones.

    They are drawn at random where they are a part of the split, see `drawn`. `labels` (T,) by name
    are those of the training part: the shares that kinds should have.
    """

    network: FeatureNetwork
    images: Tensor
    labels: dict[str, Tensor]
    classes: dict[str, list[str]]
    count: int
    metric: str = field(default="frechet_distance", init=False)

    @property
    def stamp(self) -> dict[str, Any]:
        """What scores depend on besides the pictures."""
        return {
            "features": self.network.name,
            "features_sha256": self.network.weights_sha256,
            "resizer": self.network.resizer,
            "draw_seed": DRAW_SEED,
        }

    @cached_property
    def features(self) -> Tensor:
        """Of the real images, (N, D)."""
        return self.see(self.images)

    def asked(self, condition: Condition | None, count: int, seed: int) -> dict[str, Tensor]:
        """Labels (count,) for pictures to score: of training images, each as often as the others.

        Empty for a model without a condition.
        """
        if condition is None:
            return {}
        total = len(next(iter(self.labels.values())))
        order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
        rows = order.repeat(-(-count // total))[:count]
        return {name: self.labels[name][rows] for name in condition.classes}

    def see(self, pictures: Tensor) -> Tensor:
        """Uint8 (N, C, H, W) to features (N, D) on the CPU."""
        return extract(self.network, pictures.split(BATCH))

    def score(self, features: Tensor) -> dict[str, float]:
        """What features (N, D) alone tell: distance, fidelity, variety, modes."""
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
        return scores | self._kinds(features)

    def _kinds(self, features: Tensor) -> dict[str, float]:
        """Which classes there are, label by label and, up to 1000 of them, all labels together."""
        told = most_probable(self.network.classes(features))
        sizes = {name: len(kinds) for name, kinds in self.classes.items() if name in told}
        scores: dict[str, float] = {}
        if len(sizes) > 1:
            for name, size in sizes.items():
                balance = modes(self.labels[name], told[name], size)
                scores[f"class_divergence/{name}"] = balance.divergence
        fakes = combined({name: told[name] for name in sizes}, sizes)
        reals = combined({name: self.labels[name] for name in sizes}, sizes)
        if fakes and reals:
            found = modes(reals[0], fakes[0], reals[1])
            scores["modes_covered"] = found.covered
            scores["modes_known"] = found.known
            scores["class_divergence"] = found.divergence
        return scores

    def score_all(
        self, pictures: Tensor, features: Tensor, asked: dict[str, Tensor]
    ) -> dict[str, float]:
        """All that pictures, uint8 (N, C, H, W), and their features (N, D) tell.

        `asked` are the labels (N,) that they were made for.

        The multi-scale similarity is that of random pairs; an Inception Score is called so only
        where InceptionV3 tells the classes.
        """
        scores = self.score(features)
        kernel = kernel_distance(self.features, features)
        scores["kernel_distance"] = kernel.mean
        scores["kernel_distance_deviation"] = kernel.standard_deviation
        probabilities = self.network.classes(features)
        of_reals = self.network.classes(self.features)
        for name, p in probabilities.items():
            kind = "inception_score" if name == "imagenet" else f"classifier_score/{name}"
            scores[kind] = inception_score(p)
            scores[f"{kind}/real"] = inception_score(of_reals[name])
            if name in asked:
                hits = p.argmax(1) == asked[name]
                scores[f"label_accuracy/{name}"] = float(hits.float().mean())
        similar, of_real = likeness(pictures), likeness(self.images)
        if similar is not None and of_real is not None:
            scores |= {"ms_ssim": similar, "ms_ssim/real": of_real}
        return scores


@dataclass(frozen=True, eq=False)
class Memorisation:
    """How near pictures come to training images; the nearest ones with what they are near to.

    `ratio` is the median distance of generated pictures to their nearest training image over that
    of held-out ones: about 1 for new pictures, towards 0 for copies; None where most held-out
    images have an exact twin in the training part.
    """

    ratio: float | None
    copies: float
    pictures: Tensor
    neighbours: Tensor
    distances: Tensor


def memorisation(
    pictures: Tensor, held_out: Tensor, training: Tensor, rows: int = 8, columns: int = 5
) -> Memorisation:
    """Nearest training images by pixels, of uint8 (N, C, H, W), (M, C, H, W) and (T, C, H, W).

    `copies` is the share of pictures nearer to a training image than 99 of 100 held-out ones are;
    where more of these have exact twins, the share of exact copies beyond theirs.
    """
    found = nearest(pictures, training, columns)
    expected = nearest(held_out, training).distances[:, 0]
    closest = found.distances[:, 0]
    limit, median = expected.quantile(0.01), expected.median()
    copies = (closest < limit).float().mean()
    if not limit:
        copies = (closest == 0).float().mean() - (expected == 0).float().mean()
    chosen = closest.argsort()[:rows]
    return Memorisation(
        ratio=float(closest.median() / median) if median else None,
        copies=max(0.0, float(copies)),
        pictures=pictures[chosen],
        neighbours=training[found.indices[chosen].flatten()],
        distances=found.distances[chosen],
    )


def reference(
    config: RunConfig,
    data: ImageData,
    split: str,
    count: int,
    features: str,
    device: torch.device,
    key: str = "features",
) -> Reference:
    """`count` images of a split, see `drawn`, and the network that `features` names.

    Raises FeaturesUnavailable where the network cannot be had, ConfigError for an unknown word.
    """
    without = "features=none" if key == "features" else "evaluate.every_images=null"
    network = feature_network(features, config, device, key, instead=f"{without} does without")
    image_set, training = data.image_set, data.indices("train")
    return Reference(
        network,
        take(image_set, drawn(data.indices(split), count)).images,
        {name: torch.from_numpy(values[training]) for name, values in image_set.labels.items()},
        image_set.classes,
        count,
    )


def judge_of(config: RunConfig, learner: Learner) -> Reference | None:
    """Who scores the learner's samples while it trains, of the validation part; None for nobody.

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
    return reference(config, data, "validation", count, features, device, "evaluate.features")


def most_probable(probabilities: dict[str, Tensor]) -> dict[str, Tensor]:
    """The most probable class (N,) of every label."""
    return {name: p.argmax(1) for name, p in probabilities.items()}
