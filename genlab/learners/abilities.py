"""What a trained learner can be asked for, whichever game it played."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from genlab.learners.styles import Styles
from genlab.networks import Chosen, Condition
from genlab.objectives.views import View


@runtime_checkable
class Generates(Protocol):
    """Makes images from nothing but noise."""

    @property
    def condition(self) -> Condition | None:
        """The labels that it is conditioned on, at the end of a latent; None for none."""
        ...

    @property
    def styles(self) -> Styles | None:
        """The styles between latents and images; None for models without a mapping network."""
        ...

    def latents(self, count: int, generator: torch.Generator, labels: Chosen) -> Tensor:
        """(count, width) draws from the prior, on the CPU; of chosen classes by label name.

        Raises ValueError for labels of a model that is not conditional.
        """
        ...

    def labels_of(self, latents: Tensor) -> dict[str, Tensor]:
        """The labels (B,) by name that latents of a conditional model carry."""
        ...

    def generate(self, latents: Tensor) -> Tensor:
        """(B, width) to images (B, C, H, W) in [-1, 1]; gradients pass."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Reconstructs images."""

    def reconstruct(self, images: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
        """(B, C, H, W) in [-1, 1] to the same shape and range."""
        ...

    def views(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The images, what is made of them and stages between, in the order to show them."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """Gives images codes."""

    def encode(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """(B, C, H, W) in [-1, 1] to "values" (B, n) and whatever else a code holds, (B, ...)."""
        ...


@runtime_checkable
class EstimatesLikelihood(Protocol):
    """Can say how probable images are."""

    def log_likelihood(
        self, images: Tensor, labels: Mapping[str, Tensor], samples: int
    ) -> Tensor | None:
        """(B, C, H, W) in [-1, 1] to log p(x) in nats, (B,), from so many codes for each image.

        None where codes have no posterior.
        """
        ...


@runtime_checkable
class Measures(Protocol):
    """Knows how well it does on images that it was not trained on."""

    def measure(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Images (B, C, H, W) in [-1, 1] to named values per image, (B,), in evaluation mode."""
        ...


class Translated(NamedTuple):
    """Images (B, C, H, W) in [-1, 1] before and after, and images as they should have become.

    `paired` where each image has an image of its own as its target, else these are any others.
    """

    before: Tensor
    after: Tensor
    target: Tensor
    paired: bool


@runtime_checkable
class PlaysAgainstCritic(Protocol):
    """Learned from a critic, or discriminator."""

    @property
    def critic(self) -> nn.Module | None:
        """The player that tells real images from generated ones; None where it has none."""
        ...


@runtime_checkable
class Translates(Protocol):
    """Makes images of one kind from images of another."""

    @property
    def directions(self) -> list[str]:
        """The names of what it can do."""
        ...

    def translate(self, given: Tensor, direction: str) -> Tensor:
        """What is given (B, given, h, w) in [-1, 1] to images (B, C, H, W) in [-1, 1]."""
        ...

    def translated(self, images: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Translated]:
        """Held-out images (B, C, H, W), translated in every direction."""
        ...


@runtime_checkable
class Completes(Translates, Protocol):
    """Makes whole images of the part of them that a view gives."""

    @property
    def view(self) -> View:
        """What of an image is given."""
        ...

    @property
    def channels(self) -> int:
        """Of a whole image."""
        ...
