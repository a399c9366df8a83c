"""Path lengths and separability of a model with styles."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlab.editing.attribute_classifier import AttributeClassifier
from genlab.editing.space import LatentSpace, space_of
from genlab.latent import linear, spherical
from genlab.learners.abilities import Generates
from genlab.metrics.paths import path_length, separability
from genlab.runs.loaded import LoadedRun

SEPARATED = 10  # images for each path that separability is measured on


def path_scores(
    loaded: LoadedRun, classifier: AttributeClassifier, count: int, seed: int, batch_size: int
) -> dict[str, float]:
    """Scores of `count` paths in z (great circles) and in w (straight lines).

    Both ends of a path have the same labels if the model is conditional. Full lengths are measured
    at a uniformly drawn position of each path, /z_end and /w_end at its start. Features are those
    below the classifier's heads, of whole images with fixed noise. Separability is over binary
    attributes (see `binary_attributes`), of ten images for each path.
    """
    learner = loaded.require(Generates, "makes no images")
    generator = torch.Generator().manual_seed(seed)
    starts, ends = (learner.latents(count, generator, {}) for _ in range(2))
    if (condition := learner.condition) is not None:
        ends[:, -condition.width :] = starts[:, -condition.width :]
    places = {"": torch.rand(count, generator=generator), "_end": torch.zeros(count)}
    scores: dict[str, float] = {}
    for space, path in (
        (space_of(loaded, styled=False), spherical),
        (space_of(loaded), linear),
    ):
        start, end = (space.codes(latents)[:, 0] for latents in (starts, ends))
        features = _Features(space, classifier, start, batch_size)
        for name, positions in places.items():
            scores[f"path_length/{space.name}{name}"] = path_length(
                space.free(start), space.free(end), positions, path, features
            )
        scores[f"separability/{space.name}"] = _separability(
            space, classifier, SEPARATED * count, seed, batch_size
        )
    return scores


@dataclass(frozen=True)
class _Features:
    """Features (N, D) of the images of free numbers (N, m), with the labels of `codes` (N, n)."""

    space: LatentSpace
    classifier: AttributeClassifier
    codes: Tensor
    batch_size: int

    @torch.no_grad()
    def __call__(self, free: Tensor) -> Tensor:
        network: Any = self.classifier.network.network
        whole = torch.cat([free, self.codes[:, free.shape[1] :]], 1)[:, None]
        return self.space.loaded.in_batches(
            lambda part: network.features(self.space.generate(part)), whole, self.batch_size
        )


def _separability(
    space: LatentSpace, classifier: AttributeClassifier, count: int, seed: int, batch_size: int
) -> float:
    codes = space.draw(count, seed)
    network = classifier.network
    probabilities = network.classes(network(space.images(codes, batch_size)))
    has_attribute = [each.probability(probabilities) for each in classifier.other_attributes()]
    return separability(space.free(codes)[:, 0], torch.stack(has_attribute, 1))
