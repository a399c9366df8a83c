"""What pictures show, as the classifier of a data set's labels sees them."""

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
    """Something that a picture has or has not: one of some classes of a label."""

    name: str
    label: str
    classes: tuple[int, ...]

    def held(self, told: Mapping[str, Tensor]) -> Tensor:
        """Whether pictures of these labels (N,) have it, bool (N,)."""
        return torch.isin(told[self.label], torch.tensor(self.classes))

    def probability(self, probabilities: Mapping[str, Tensor]) -> Tensor:
        """Of having it, (N,), from those of every class, (N, classes) by label."""
        return probabilities[self.label][:, list(self.classes)].sum(1)

    def log_odds(self, log_probabilities: Mapping[str, Tensor]) -> Tensor:
        """Of having it against not having it, (N,), from (N, classes) by label."""
        values = log_probabilities[self.label]
        chosen = torch.zeros_like(values, dtype=torch.bool)
        chosen[:, list(self.classes)] = True
        for_it = values.masked_fill(~chosen, float("-inf")).logsumexp(1)
        return for_it - values.masked_fill(chosen, float("-inf")).logsumexp(1)


Targets = Mapping[Attribute, bool]  # what pictures should have, and what they should lack


@dataclass(frozen=True)
class Judge:
    """The classifier of a run's data, and one that sees through noise."""

    loaded: LoadedRun
    network: ClassifierFeatures

    @property
    def classes(self) -> Classes:
        """Names of the classes by label."""
        return self.network.kinds

    @cached_property
    def through_noise(self) -> ClassifierFeatures:
        """The one that was taught on noisy images."""
        with _told(self.loaded):
            network = noisy_classifier(self.loaded.config, self.loaded.device, self.loaded.origin)
        network.network.eval().requires_grad_(False)
        return network

    def told(self, pictures: Tensor) -> dict[str, Tensor]:
        """Uint8 (N, C, H, W) to the most probable class (N,) of every label."""
        return most_probable(self.network.classes(self.network(pictures)))

    def log_probabilities(self, pictures: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """(N, C, H, W) in [-1, 1], with noise on top, to (N, classes) by label; gradients pass.

        By the classifier that was taught on noise.
        """
        network: Any = self.through_noise.network
        seen = pictures if noise is None else pictures + noise.to(pictures.device)
        return {name: logits.log_softmax(1) for name, logits in network(seen).items()}

    def others(self, asked: Sequence[Attribute] = ()) -> list[Attribute]:
        """Binary attributes that are no matter of the asked ones' labels, each of them once."""
        taken = set().union(*(self.kin(attribute.label) for attribute in asked))
        found = []
        for attribute in binary(self.classes):
            if attribute.label not in taken:
                found.append(attribute)
                taken |= self.kin(attribute.label) - {attribute.label}
        return found

    def kin(self, label: str) -> set[str]:
        """The label and those that say of every image, too, whether it has what the label names.

        As glasses_color, which is none where glasses is none.
        """
        return {label}.union(*(group for group in self.loaded.alike if label in group))


def noise_like(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Noise (N, C, H, W) on the CPU, of each picture with a deviation of its own up to NOISE.

    Hardly any shows details, much of it hides what nobody would see.
    """
    deviations = NOISE * torch.rand(len(pictures), 1, 1, 1, generator=generator)
    return deviations * torch.randn(pictures.shape, generator=generator)


def judge_of(loaded: LoadedRun) -> Judge:
    """The judge of a run's data; FeaturesUnavailable where they have no labels.

    Raises DataError where the judge has not been trained yet, and the data are gone.
    """
    with _told(loaded):
        network = feature_network(
            "classifier", loaded.config, loaded.device, origin=loaded.origin, instead=COMPONENTS
        )
    assert isinstance(network, ClassifierFeatures)
    network.network.eval().requires_grad_(False)
    return Judge(loaded, network)


@contextmanager
def _told(loaded: LoadedRun) -> Iterator[None]:
    """Say what data that are gone are needed for."""
    try:
        yield
    except DataMissing as error:
        raise loaded.missing(error, "to train a classifier of their labels, once") from error


def binary(classes: Classes) -> list[Attribute]:
    """with_LABEL where there is a class "none", LABEL:CLASS for the last of two classes.

    Data without any of these have an attribute for each class.
    """
    found = [having(classes, label) for label, kinds in classes.items() if NONE in kinds]
    pairs = [label for label, kinds in classes.items() if len(kinds) == 2 and NONE not in kinds]
    found += [Attribute(f"{label}:{classes[label][1]}", label, (1,)) for label in pairs]
    return found or [
        Attribute(f"{label}:{kind}", label, (number,))
        for label, kinds in classes.items()
        for number, kind in enumerate(kinds)
    ]


def having(classes: Classes, label: str) -> Attribute:
    """with_LABEL: any class but "none"; ConfigError for a label that there is not, or without."""
    kinds = _known(classes, label)
    if NONE not in kinds:
        raise ConfigError(
            f"{label}: all images have one of its classes: name one, "
            + " or ".join(f"{label}:{kind}" for kind in kinds[:2])
        )
    classes_of_it = tuple(i for i, kind in enumerate(kinds) if kind != NONE)
    return Attribute(f"with_{label}", label, classes_of_it)


def showing(classes: Classes, word: str) -> Attribute:
    """The attribute that LABEL:CLASS names; ConfigError for a label or class that there is not."""
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
