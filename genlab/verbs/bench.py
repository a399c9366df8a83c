"""Where edits are worked out and measured: a model's codes, and who says what they show."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genlab.errors import ConfigError
from genlab.latent import change
from genlab.pixels import normalise, to_uint8
from genlab.verbs.attributes import Attribute, Judge, judge_of, kept
from genlab.verbs.spaces import Space

log = logging.getLogger(__name__)

FLIPPED = 0.8  # share of pictures that the automatic strength changes, seen through noise
# Standard deviation of the noise on pictures in [-1, 1]: a classifier can be talked into anything
# by changes that nobody sees, but hardly through noise.
NOISE = 0.3
STRENGTHS = torch.arange(0.25, 10.01, 0.25)  # that are tried for it
Targets = Mapping[Attribute, bool]


@dataclass(frozen=True)
class Bench:
    """A model's space, and codes drawn from it; directions are (layers, m)."""

    space: Space
    config: Mapping[str, Any]

    @cached_property
    def codes(self) -> Tensor:
        """(N, layers, n)."""
        return self.space.draw(self.config["codes"], self.config["seed"])

    @property
    def free(self) -> Tensor:
        """What may change of the drawn codes, (N, layers, m)."""
        return self.space.free(self.codes)

    @cached_property
    def judge(self) -> Judge:
        """Who says what pictures show."""
        return judge_of(self.space.opened)

    @cached_property
    def told(self) -> dict[str, Tensor]:
        """The labels (N,) of the drawn codes' pictures."""
        return self.tell(self.codes)

    def pictures(self, codes: Tensor) -> Tensor:
        """Uint8 (N, C, H, W)."""
        return self.space.pictures(codes, self.config["batch_size"])

    def tell(self, codes: Tensor, noise: float = 0.0) -> dict[str, Tensor]:
        """The labels (N,) of codes' pictures, seen through noise."""
        pictures = self.pictures(codes)
        if noise:
            drawn = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
            pictures = to_uint8(normalise(pictures) + noise * drawn)
        return self.judge.told(pictures)

    def seeds(self, seeds: Sequence[int]) -> Tensor:
        """The first code of each seed, (N, layers, n)."""
        return torch.cat([self.space.draw(1, seed) for seed in seeds])

    def moved(self, codes: Tensor, direction: Tensor, strengths: Tensor) -> Tensor:
        """Codes (N, layers, n) by strengths (S,) along a direction: (N, S, layers, n)."""
        move = self.space.moves(direction, codes)
        return codes[:, None] + strengths[:, None, None] * move

    def share(self, attribute: Attribute) -> float:
        """Of the drawn pictures, with the attribute; ConfigError where all have it or none has."""
        held = attribute.held(self.told)
        if held.all() or not held.any():
            raise ConfigError(
                f"{attribute.name}: {'all' if held.any() else 'none'} of {len(held)} drawn "
                "pictures show it: set codes= to more, or train on"
            )
        return float(held.float().mean())

    def changes(self, attributes: Sequence[Attribute]) -> list[Tensor]:
        """From codes without each of the attributes to those with it, all else alike.

        As long as it takes, to first order, from the mean log odds of those without to that of
        those with it.
        """
        for attribute in attributes:
            self.share(attribute)
        odds, gradients = self._gradients(attributes)
        found = []
        for attribute in attributes:
            kin = self.judge.kin(attribute.label)
            others = [gradients[label] for label in self.judge.classes if label not in kin]
            held = attribute.held(self.told)
            value = odds[attribute.name]
            direction = change(gradients[attribute.name], others)
            found.append((value[held].mean() - value[~held].mean()) * direction)
        return [direction.view_as(self.free[0]) for direction in found]

    def _gradients(
        self, attributes: Sequence[Attribute]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Log odds (N,) of attributes, their gradients by codes, and those of labels to keep.

        Of noisy pictures (SmoothGrad, Smilkov et al. 2017, https://arxiv.org/abs/1706.03825).
        """
        generator = torch.Generator().manual_seed(self.config["seed"])
        odds: dict[str, list[Tensor]] = {}
        gradients: dict[str, list[Tensor]] = {}
        for part in self.codes.split(self.config["batch_size"]):
            codes = part.to(self.space.opened.device).requires_grad_()
            pictures = self.space.generate(codes)
            noise = torch.randn(pictures.shape, generator=generator).to(pictures.device)
            told = self.judge.log_probabilities(pictures + NOISE * noise)
            scores = {each.name: each.log_odds(told) for each in attributes}
            for name, score in (scores | {name: kept(p) for name, p in told.items()}).items():
                (gradient,) = torch.autograd.grad(score.sum(), codes, retain_graph=True)
                gradients.setdefault(name, []).append(self.space.free(gradient).flatten(1).cpu())
                odds.setdefault(name, []).append(score.detach().cpu())
        found = [
            {name: torch.cat(parts) for name, parts in each.items()} for each in (odds, gradients)
        ]
        return found[0], found[1]

    def strength(self, direction: Tensor, targets: Targets) -> float:
        """The smallest that changes 8 of 10 pictures, or the one that changes most of them.

        Through noise, so that it is seen.
        """
        codes = self._lacking(targets, self.config["seed"] + 1)
        best, most = 0.0, -1.0
        for strength in STRENGTHS:
            edited = self.moved(codes, direction, strength[None])[:, 0]
            share = float(met(self.tell(edited, NOISE), targets).float().mean())
            if share > most:
                best, most = float(strength), share
            if share >= FLIPPED:
                return best
        log.warning("no strength changes 8 of 10 pictures: %.2f of them at most", most)
        return best

    def report(self, direction: Tensor, targets: Targets, strength: float) -> dict[str, Any]:
        """Shares of fresh pictures that change as asked, and that keep each other attribute."""
        codes = self._lacking(targets, self.config["seed"] + 2)
        before = self.tell(codes)
        edited = self.moved(codes, direction, torch.tensor([strength]))[:, 0]
        after = self.tell(edited)
        shares = {
            "flipped": float(met(after, targets).float().mean()),
            "flipped_through_noise": float(met(self.tell(edited, NOISE), targets).float().mean()),
        }
        for attribute in self.judge.others(list(targets)):
            same = attribute.held(after) == attribute.held(before)
            shares[f"kept/{attribute.label}"] = float(same.float().mean())
        for name, value in shares.items():
            log.info("%-28s %.3f", name, value)
        return {
            "strength": strength,
            **shares,
            "pictures": len(codes),
            "space": self.space.name,
            "classifier": self.judge.network.name,
            "classifier_sha256": self.judge.network.weights_sha256,
        }

    def _lacking(self, targets: Targets, seed: int) -> Tensor:
        """Fresh codes whose pictures do not yet show all that is asked for."""
        codes = self.space.draw(self.config["check"], seed)
        codes = codes[~met(self.tell(codes), targets)]
        if not len(codes):
            raise ConfigError(
                f"check={self.config['check']}: all of these pictures show it already: set it to "
                "more"
            )
        return codes


def met(told: Mapping[str, Tensor], targets: Targets) -> Tensor:
    """Whether pictures of labels (N,) have what is asked for and lack the rest, bool (N,)."""
    return torch.stack([each.held(told) == wanted for each, wanted in targets.items()]).all(0)
