"""Attributes of images by the classifier of a data set's labels."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genlab.data.description import NONE
from genlab.errors import ConfigError, DataMissing
from genlab.evaluation.feature_networks import COMPONENTS, NOISE, feature_network, noisy_classifier
from genlab.evaluation.reference import most_probable
from genlab.metrics import ClassifierFeatures
from genlab.runs.loaded import LoadedRun
from genlab.words import near_miss

Classes = Mapping[str, Sequence[str]]


class Attribute(NamedTuple):
    """A property that an image has or lacks: the label is one of `classes`."""

    name: str
    label: str
    classes: tuple[int, ...]

    def matches(self, labels: Mapping[str, Tensor]) -> Tensor:
        """Whether images with these labels (N,) have it, bool (N,)."""
        return torch.isin(labels[self.label], torch.tensor(self.classes))

    def probability(self, probabilities: Mapping[str, Tensor]) -> Tensor:
        """Its probability (N,), from those of every class, (N, classes) by label."""
        return probabilities[self.label][:, list(self.classes)].sum(1)

    def log_odds(self, log_probabilities: Mapping[str, Tensor]) -> Tensor:
        """Its log odds (N,), from log probabilities (N, classes) by label."""
        values = log_probabilities[self.label]
        chosen = torch.zeros_like(values, dtype=torch.bool)
        chosen[:, list(self.classes)] = True
        for_it = values.masked_fill(~chosen, float("-inf")).logsumexp(1)
        return for_it - values.masked_fill(chosen, float("-inf")).logsumexp(1)


Targets = Mapping[Attribute, bool]  # attributes that images should have (true) or lack (false)


@dataclass(frozen=True)
class AttributeClassifier:
    """The classifier of a run's data, and a second one that was trained on noisy images."""

    loaded: LoadedRun
    network: ClassifierFeatures

    @property
    def classes(self) -> Classes:
        """Names of the classes by label."""
        return self.network.kinds

    @cached_property
    def robust_network(self) -> ClassifierFeatures:
        """The network that was trained on noisy images."""
        with _explain_missing_data(self.loaded):
            network = noisy_classifier(self.loaded.config, self.loaded.device, self.loaded.origin)
        network.network.eval().requires_grad_(False)
        return network

    def labels(self, images: Tensor) -> dict[str, Tensor]:
        """The most probable class (N,) of every label, for images uint8 (N, C, H, W)."""
        return most_probable(self.network.classes(self.network(images)))

    def log_probabilities(self, images: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Log probabilities (N, classes) by label, from the network that was trained on noise.

        Args:
            images: (N, C, H, W) in [-1, 1]; gradients flow back to them.
            noise: (N, C, H, W), added to the images.
        """
        network: Any = self.robust_network.network
        seen = images if noise is None else images + noise.to(images.device)
        return {name: logits.log_softmax(1) for name, logits in network(seen).items()}

    def other_attributes(self, changed: Sequence[Attribute] = ()) -> list[Attribute]:
        """Binary attributes of labels that are unrelated to those of `changed`, each once."""
        taken = set().union(*(self.related_labels(attribute.label) for attribute in changed))
        found = []
        for attribute in binary_attributes(self.classes):
            if attribute.label not in taken:
                found.append(attribute)
                taken |= self.related_labels(attribute.label) - {attribute.label}
        return found

    def related_labels(self, label: str) -> set[str]:
        """The label and all labels from which it can be inferred.

        For glasses also glasses_color, which is none where glasses is none.
        """
        return {label}.union(*(group for group in self.loaded.alike if label in group))


def noise_like(images: Tensor, generator: torch.Generator) -> Tensor:
    """Noise (N, C, H, W) on the CPU; each image's standard deviation is uniform up to NOISE.

    Little noise leaves details visible, much noise hides changes that people would not notice.
    """
    deviations = NOISE * torch.rand(len(images), 1, 1, 1, generator=generator)
    return deviations * torch.randn(images.shape, generator=generator)


def attribute_classifier(loaded: LoadedRun) -> AttributeClassifier:
    """The classifier of a run's data.

    Raises:
        FeaturesUnavailable: the data have no labels.
        DataError: it has not been trained yet, and the data are missing.
    """
    with _explain_missing_data(loaded):
        network = feature_network(
            "classifier", loaded.config, loaded.device, origin=loaded.origin, instead=COMPONENTS
        )
    assert isinstance(network, ClassifierFeatures)
    network.network.eval().requires_grad_(False)
    return AttributeClassifier(loaded, network)


@contextmanager
def _explain_missing_data(loaded: LoadedRun) -> Iterator[None]:
    """Say in the error for missing data what they are needed for."""
    try:
        yield
    except DataMissing as error:
        raise loaded.missing(error, "to train a classifier of their labels, once") from error


def binary_attributes(classes: Classes) -> list[Attribute]:
    """with_LABEL for labels with a class "none", LABEL:CLASS for the second of two classes.

    Data without such labels have one attribute for each class.
    """
    found = [label_attribute(classes, label) for label, kinds in classes.items() if NONE in kinds]
    pairs = [label for label, kinds in classes.items() if len(kinds) == 2 and NONE not in kinds]
    found += [Attribute(f"{label}:{classes[label][1]}", label, (1,)) for label in pairs]
    return found or [
        Attribute(f"{label}:{kind}", label, (number,))
        for label, kinds in classes.items()
        for number, kind in enumerate(kinds)
    ]


def label_attribute(classes: Classes, label: str) -> Attribute:
    """with_LABEL: any class but "none"; ConfigError for an unknown label or one without "none"."""
    kinds = _known(classes, label)
    if NONE not in kinds:
        raise ConfigError(
            f"{label}: all images have one of its classes: name one, "
            + " or ".join(f"{label}:{kind}" for kind in kinds[:2])
        )
    classes_of_it = tuple(i for i, kind in enumerate(kinds) if kind != NONE)
    return Attribute(f"with_{label}", label, classes_of_it)


def class_attribute(classes: Classes, word: str) -> Attribute:
    """The attribute that LABEL:CLASS names; ConfigError for an unknown label or class."""
    label, _, kind = word.partition(":")
    kinds = _known(classes, label)
    if kind not in kinds:
        raise ConfigError(
            f"{word}: {label} has no class {kind or '(empty)'}{near_miss(kind, kinds)}"
        )
    return Attribute(word, label, (list(kinds).index(kind),))


def _known(classes: Classes, label: str) -> Sequence[str]:
    if label not in classes:
        raise ConfigError(f"{label}: the data have no such label{near_miss(label, classes)}")
    return classes[label]
