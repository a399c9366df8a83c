"""Inversion: codes of images, found by gradient descent."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from genlab.data.progress import late_progress
from genlab.data.source import Advance
from genlab.editing.attribute_classifier import attribute_classifier
from genlab.editing.space import LatentSpace, space_of
from genlab.errors import ConfigError, DataError
from genlab.metrics import FeaturesUnavailable
from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import LoadedRun

log = logging.getLogger(__name__)

SHOWN = 8  # intermediate images that are returned
RATE = 0.1  # of Adam, in standard deviations of the codes
RISE, FALL = 0.05, 0.25  # shares of the steps in which the rate rises and falls
_CHUNK = 250

FeatureExtractor = Callable[[Tensor], Tensor]


class InversionSettings(Protocol):
    """Settings of an inversion."""

    @property
    def steps(self) -> int:
        """Steps of Adam."""

    @property
    def draws(self) -> int:
        """Random codes, of which the best one is the start."""

    @property
    def batch_size(self) -> int:
        """Images in each batch."""

    @property
    def seed(self) -> int:
        """Seed of the random codes."""


@dataclass(frozen=True)
class Inversion:
    """Finds codes (N, layers, n) of a latent space that generate given images.

    Karras et al. 2020, appendix D, https://arxiv.org/abs/1912.04958, with fixed noise and no noise
    on the codes; with several layers each has its own style (Abdal et al. 2019,
    https://arxiv.org/abs/1904.03189). The loss is the mean squared error of pixels plus that of
    features, each divided by its mean over pairs of random codes. It starts at the best of the
    random codes and the mean style.

    Args:
        space: of the codes.
        layers: whose codes may differ.
        features: images in [-1, 1] to features (N, D); None compares pixels alone.
        settings: number of steps and random codes.
        known: (1, 1, H, W), 1 for pixels that are compared and 0 for others; None compares all.
    """

    space: LatentSpace
    layers: int
    features: FeatureExtractor | None
    settings: InversionSettings
    known: Tensor | None = None

    def invert(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Codes of images uint8 (N, C, H, W), and intermediate images (N, SHOWN, C, H, W)."""
        drawn = self._draws()
        draws = [self._views(self.space.generate(part)) for part in drawn.split(_CHUNK)]
        views = [torch.cat(parts) for parts in zip(*draws, strict=True)]
        scales = [2 * float(view.var(0).mean()) or 1.0 for view in views]
        deviation = float(self.space.free(drawn).std(0).mean())
        codes, ways = [], []
        parts = images.split(self.settings.batch_size)
        steps = len(parts) * self.settings.steps
        with late_progress("searching codes", steps, "step") as advance:
            for part in parts:
                found, way = self._inverted(part, drawn, views, scales, deviation, advance)
                codes.append(found)
                ways.append(way)
        return torch.cat(codes), torch.cat(ways)

    def _inverted(
        self,
        images: Tensor,
        drawn: Tensor,
        views: list[Tensor],
        scales: list[float],
        deviation: float,
        advance: Advance,
    ) -> tuple[Tensor, Tensor]:
        """Codes of a batch, from the draw nearest to each image, and intermediate images."""
        targets = self._views(normalise(images.to(drawn.device)))
        errors = sum(
            torch.cdist(target, view).square() / (target.shape[1] * scale)
            for target, view, scale in zip(targets, views, scales, strict=True)
        )
        assert isinstance(errors, Tensor)
        return self._descend(drawn[errors.argmin(1)], targets, scales, deviation, advance)

    @torch.no_grad()
    def _draws(self) -> Tensor:
        """Candidates for the start, (N, layers, n) on the device."""
        drawn = self.space.draw(self.settings.draws, self.settings.seed)[:, : self.layers]
        drawn = drawn.to(self.space.loaded.device)
        styles = self.space.learner.styles
        if self.space.styled and styles is not None:
            drawn = torch.cat([styles.mean.expand(1, self.layers, -1), drawn])
        return drawn

    def _views(self, images: Tensor) -> list[Tensor]:
        """Pixels (N, values) and features (N, D)."""
        if self.known is not None:
            images = images * self.known
        return [images.flatten(1), *([self.features(images)] if self.features else [])]

    def _descend(
        self,
        start: Tensor,
        targets: list[Tensor],
        scales: list[float],
        deviation: float,
        advance: Advance,
    ) -> tuple[Tensor, Tensor]:
        """Codes that fit the targets, from `start` (N, layers, n), and intermediate images."""
        steps = self.settings.steps
        free = self.space.free(start).clone().requires_grad_()
        labels = start[..., free.shape[-1] :]
        optimizer = torch.optim.Adam([free])
        shown = {round(i * steps / (SHOWN - 1)) for i in range(SHOWN)}
        way: list[Tensor] = []
        for step in range(steps + 1):
            codes = torch.cat([free, labels], 2)
            images = self.space.generate(codes)
            if step in shown:
                way.append(to_uint8(images.detach()).cpu())
            if step == steps:
                break
            optimizer.param_groups[0]["lr"] = RATE * deviation * rate_factor(step / steps)
            losses = [
                (view - target).square().mean(1).sum() / scale
                for view, target, scale in zip(self._views(images), targets, scales, strict=True)
            ]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
            advance(1)
        return codes.detach().cpu(), torch.stack(way, 1)


def rate_factor(done: float) -> float:
    """The learning rate's factor after a share `done` of the steps: linear rise, cosine fall."""
    fall = min(1.0, (1 - done) / FALL)
    return min(1.0, done / RISE + 0.01) * (0.5 - 0.5 * math.cos(math.pi * fall))


def space_to_search(loaded: LoadedRun, name: str) -> tuple[LatentSpace, int]:
    """The space that `name` means, and the number of layers whose codes may differ."""
    space = space_of(loaded, styled=name != "z")
    if name in ("w", "w+") and not space.styled:
        raise ConfigError(f"space={name}: this model has no styles: use space=z")
    return space, 1 if name == "w" else space.layers


def features_to_compare(loaded: LoadedRun) -> FeatureExtractor | None:
    """The classifier's features (N, D) of images; None without labels or without the data."""
    try:
        network: Any = attribute_classifier(loaded).network.network
    except (FeaturesUnavailable, DataError) as error:
        log.info("comparing pixels only: %s", error)
        return None
    result: Callable[[Tensor], Tensor] | None = network.features
    return result
