"""Edits of a model's codes: directions to attributes, their strength, and measures of success."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genlab.editing.attribute_classifier import (
    Attribute,
    AttributeClassifier,
    Targets,
    attribute_classifier,
    noise_like,
)
from genlab.editing.optimise import keep_mask, learn_direction, principal_axes, refine
from genlab.editing.space import LatentSpace
from genlab.errors import ConfigError, DataError
from genlab.evaluation.reference import most_probable
from genlab.latent import LatentDirection, ganspace, in_deviations, sefa
from genlab.pixels import normalise
from genlab.settings.edit import Edit

log = logging.getLogger(__name__)

FLIPPED = 0.85  # share of images that the automatic strength changes, with and without noise
STRENGTHS = torch.arange(0.5, 3.01, 0.125)  # candidates for the automatic strength


@dataclass(frozen=True)
class LatentEditor:
    """Edits codes of a latent space, by what a classifier sees in codes drawn from it."""

    space: LatentSpace
    settings: Edit

    @cached_property
    def codes(self) -> Tensor:
        """Random codes (N, layers, n) to learn from."""
        return self.space.draw(self.settings.codes, self.settings.seed)

    @property
    def free(self) -> Tensor:
        """The parts (N, layers, m) of the drawn codes that may change."""
        return self.space.free(self.codes)

    @cached_property
    def classifier(self) -> AttributeClassifier:
        """The classifier of images; DataError if the data have other classes than the run."""
        loaded = self.space.loaded
        classifier = attribute_classifier(loaded)
        if classifier.classes != loaded.description.classes:
            raise DataError(
                f"run={loaded.folder.path}: its data have other classes than when it was trained: "
                "restore the data, or train again"
            )
        return classifier

    @cached_property
    def labels(self) -> dict[str, Tensor]:
        """The labels (N,) of the images of the drawn codes."""
        return self.labels_of(self.codes)

    def images(self, codes: Tensor) -> Tensor:
        """The images, uint8 (N, C, H, W), of codes."""
        return self.space.images(codes, self.settings.batch_size)

    def labels_of(self, codes: Tensor) -> dict[str, Tensor]:
        """The labels (N,) of the images of codes."""
        return self.classifier.labels(self.images(codes))

    def flipped(self, codes: Tensor, targets: Targets) -> dict[str, float]:
        """Shares of images that the classifiers say meet the targets, with and without noise."""
        images = self.images(codes)
        generator = torch.Generator().manual_seed(0)
        noisy = []
        for part in images.split(self.settings.batch_size):
            noise = noise_like(part, generator)
            seen = normalise(part.to(self.space.loaded.device))
            with torch.no_grad():
                labels = most_probable(self.classifier.log_probabilities(seen, noise))
            noisy.append(meets({name: kinds.cpu() for name, kinds in labels.items()}, targets))
        return {
            "flipped": float(meets(self.classifier.labels(images), targets).float().mean()),
            "flipped_through_noise": float(torch.cat(noisy).float().mean()),
        }

    def traverse(self, codes: Tensor, direction: LatentDirection, strengths: Tensor) -> Tensor:
        """Codes (N, layers, n) moved by each strength (S,) along a direction: (N, S, layers, n)."""
        moves = self.space.moves(direction(self.space.free(codes)), codes)
        return codes[:, None] + strengths[:, None, None] * moves[:, None]

    def move(self, codes: Tensor, direction: LatentDirection, strength: float) -> Tensor:
        """Codes (N, layers, n) moved by a strength along a direction."""
        return self.traverse(codes, direction, torch.tensor([strength]))[:, 0]

    def edit_function(
        self, direction: LatentDirection, targets: Targets, strength: float
    ) -> Callable[[Tensor], Tensor]:
        """A function that moves codes (N, layers, n) and then refines each one, see `refine`."""
        if not self.settings.settle:
            return lambda codes: self.move(codes, direction, strength)
        lacking = self._lacking(targets, self.settings.seed + 1)
        keep = keep_mask(self.images(lacking), self.images(self.move(lacking, direction, strength)))
        axes = principal_axes(self.free[:, 0])

        def edit(codes: Tensor) -> Tensor:
            ends = self.move(codes, direction, strength)
            steps, seed = self.settings.settle, self.settings.seed
            return refine(
                self.space, self.classifier, targets, codes, ends, axes, keep, steps, seed
            )

        return edit

    def share(self, attribute: Attribute) -> float:
        """The share of generated images with the attribute; ConfigError if it is none or all."""
        has_attribute = attribute.matches(self.labels)
        if has_attribute.all() or not has_attribute.any():
            raise ConfigError(
                f"{attribute.name}: {'all' if has_attribute.any() else 'none'} of "
                f"{len(has_attribute)} generated images has it: set codes= to more, or train on"
            )
        return float(has_attribute.float().mean())

    def direction_to(self, attribute: Attribute) -> LatentDirection:
        """The direction that adds the attribute and keeps the others, see `learn_direction`."""
        self.share(attribute)
        has_attribute = attribute.matches(self.labels)
        return learn_direction(
            self.space, self.classifier, attribute, self.codes, has_attribute, self.settings.seed
        )

    def components(self, method: str, count: int) -> list[LatentDirection]:
        """At most `count` directions, each of one standard deviation of the codes along it.

        Those of most variance for `method` pca (GANSpace), or those that the layers of a StyleGAN
        amplify most for factorised (SeFa).
        """
        codes = self.free[:, 0]
        most = min(count, *codes.shape)
        if method == "pca":
            directions = ganspace(codes, most)
        else:
            directions = sefa(_style_weights(self.space), most)
        return [
            LatentDirection.constant(direction) for direction in in_deviations(directions, codes)
        ]

    def strength(self, direction: LatentDirection, targets: Targets) -> float:
        """The smallest strength that changes FLIPPED of the images, else the one that changes most.

        Both with and without noise, so that people see the change as well as the classifier.
        """
        codes = self._lacking(targets, self.settings.seed + 1)
        best, most = 0.0, -1.0
        for strength in STRENGTHS:
            edited = self.move(codes, direction, float(strength))
            share = min(self.flipped(edited, targets).values())
            if share > most:
                best, most = float(strength), share
            if share >= FLIPPED:
                return best
        log.warning("no strength changes %g of the images: %.2f at most", FLIPPED, most)
        return best

    def report(self, edit: Callable[[Tensor], Tensor], targets: Targets) -> dict[str, Any]:
        """Shares of new images that an edit changes as intended, and that keep other attributes."""
        codes = self._lacking(targets, self.settings.seed + 2)
        before = self.labels_of(codes)
        edited = edit(codes)
        after = self.labels_of(edited)
        shares = self.flipped(edited, targets)
        for attribute in self.classifier.other_attributes(list(targets)):
            same = attribute.matches(after) == attribute.matches(before)
            shares[f"kept/{attribute.label}"] = float(same.float().mean())
        for name, value in shares.items():
            log.info("%-28s %.3f", name, value)
        return {
            **shares,
            "pictures": len(codes),
            "space": self.space.name,
            "classifier": self.classifier.network.name,
            "classifier_sha256": self.classifier.network.weights_sha256,
        }

    def _lacking(self, targets: Targets, seed: int) -> Tensor:
        """New codes whose images do not meet the targets yet."""
        codes = self.space.draw(self.settings.check, seed)
        codes = codes[~meets(self.labels_of(codes), targets)]
        if not len(codes):
            raise ConfigError(
                f"check={self.settings.check}: all of these images have it already: set it to more"
            )
        return codes


def _style_weights(space: LatentSpace) -> list[Tensor]:
    """The weights (outputs, n) of all layers with a style as input."""
    if space.learner.styles is None:
        raise ConfigError("direction=factorised: this model has no styles: use direction=pca")
    modules = space.learner.styles.decoder.synthesis.named_modules()
    layers: list[Any] = [module for name, module in modules if name.endswith("affine")]
    return [(layer.weight * layer.scale).cpu() for layer in layers]


def meets(labels: Mapping[str, Tensor], targets: Targets) -> Tensor:
    """Whether images with these labels (N,) meet the targets, bool (N,)."""
    return torch.stack([each.matches(labels) == wanted for each, wanted in targets.items()]).all(0)
