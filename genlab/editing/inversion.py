"""The codes of pictures, looked for by gradient descent."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from genlab.editing.attributes import judge_of
from genlab.editing.space import Space, space_of
from genlab.errors import ConfigError, DataError
from genlab.metrics import FeaturesUnavailable
from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import LoadedRun

log = logging.getLogger(__name__)

SHOWN = 8  # pictures on the way
RATE = 0.1  # of Adam, in standard deviations of the codes
RISE, FALL = 0.05, 0.25  # shares of the steps in which the rate rises, and falls
_CHUNK = 250

See = Callable[[Tensor], Tensor]


class Searches(Protocol):
    """Settings of a search for codes."""

    @property
    def steps(self) -> int:
        """Of Adam."""

    @property
    def draws(self) -> int:
        """Random codes, the best of which is the start."""

    @property
    def batch_size(self) -> int:
        """Images at a time."""

    @property
    def seed(self) -> int:
        """Of the draws."""


@dataclass(frozen=True)
class Search:
    """Looks for codes (N, layers, n) in a space whose pictures are like images.

    Karras et al. 2020, appendix D, https://arxiv.org/abs/1912.04958, with fixed noise and no noise
    on the codes; all layers of styles on their own where `layers` says so (Abdal et al. 2019,
    https://arxiv.org/abs/1904.03189). The loss is the mean squared error of pixels plus that of
    features, each divided by its mean over pairs of draws. It starts at the best of random draws
    and of the mean style.

    Args:
        space: of the codes.
        layers: that may differ.
        see: pictures in [-1, 1] to features (N, D); None compares pixels alone.
        settings: how long and from where it looks.
        known: 1 where pictures are compared and 0 elsewhere, (1, 1, H, W); None compares all.
    """

    space: Space
    layers: int
    see: See | None
    settings: Searches
    known: Tensor | None = None

    def find(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of images uint8 (N, C, H, W) the codes and ways to them, uint8 (N, SHOWN, C, H, W)."""
        drawn = self._draws()
        seen = [self._seen(self.space.generate(part)) for part in drawn.split(_CHUNK)]
        views = [torch.cat(parts) for parts in zip(*seen, strict=True)]
        scales = [2 * float(view.var(0).mean()) or 1.0 for view in views]
        deviation = float(self.space.free(drawn).std(0).mean())
        codes, ways = [], []
        for part in images.split(self.settings.batch_size):
            targets = self._seen(normalise(part.to(drawn.device)))
            errors = sum(
                torch.cdist(target, view).square() / (target.shape[1] * scale)
                for target, view, scale in zip(targets, views, scales, strict=True)
            )
            assert isinstance(errors, Tensor)
            found, way = self._descend(drawn[errors.argmin(1)], targets, scales, deviation)
            codes.append(found)
            ways.append(way)
        return torch.cat(codes), torch.cat(ways)

    @torch.no_grad()
    def _draws(self) -> Tensor:
        """Codes to start from, (N, layers, n) on the device."""
        drawn = self.space.draw(self.settings.draws, self.settings.seed)[:, : self.layers]
        drawn = drawn.to(self.space.loaded.device)
        styles = self.space.learner.styles
        if self.space.styled and styles is not None:
            drawn = torch.cat([styles.mean.expand(1, self.layers, -1), drawn])
        return drawn

    def _seen(self, pictures: Tensor) -> list[Tensor]:
        """Pixels (N, values) and features (N, D)."""
        if self.known is not None:
            pictures = pictures * self.known
        return [pictures.flatten(1), *([self.see(pictures)] if self.see else [])]

    def _descend(
        self, start: Tensor, targets: list[Tensor], scales: list[float], deviation: float
    ) -> tuple[Tensor, Tensor]:
        """Codes and pictures on the way from `start`, (N, layers, n), to the targets."""
        steps = self.settings.steps
        free = self.space.free(start).clone().requires_grad_()
        told = start[..., free.shape[-1] :]
        optimizer = torch.optim.Adam([free])
        shown = {round(i * steps / (SHOWN - 1)) for i in range(SHOWN)}
        way: list[Tensor] = []
        for step in range(steps + 1):
            codes = torch.cat([free, told], 2)
            pictures = self.space.generate(codes)
            if step in shown:
                way.append(to_uint8(pictures.detach()).cpu())
            if step == steps:
                break
            optimizer.param_groups[0]["lr"] = RATE * deviation * factor(step / steps)
            losses = [
                (view - target).square().mean(1).sum() / scale
                for view, target, scale in zip(self._seen(pictures), targets, scales, strict=True)
            ]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
        return codes.detach().cpu(), torch.stack(way, 1)


def factor(done: float) -> float:
    """The rate's share at a share of the steps: a rise to 1, and a fall to 0 along a cosine."""
    fall = min(1.0, (1 - done) / FALL)
    return min(1.0, done / RISE + 0.01) * (0.5 - 0.5 * math.cos(math.pi * fall))


def space_to_search(loaded: LoadedRun, name: str) -> tuple[Space, int]:
    """The space to look in, and in how many layers codes may differ."""
    space = space_of(loaded, styled=name != "z")
    if name in ("w", "w+") and not space.styled:
        raise ConfigError(f"space={name}: this model has no styles: use space=z")
    return space, 1 if name == "w" else space.layers


def features_to_compare(loaded: LoadedRun) -> See | None:
    """The classifier's features (N, D) of pictures; None without labels, or without the data."""
    try:
        network: Any = judge_of(loaded).network.network
    except (FeaturesUnavailable, DataError) as error:
        log.info("pixels alone are compared: %s", error)
        return None
    result: Callable[[Tensor], Tensor] | None = network.features
    return result
