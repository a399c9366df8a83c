"""Where edits are worked out and measured: a model's codes, and who says what they show."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genlab.editing.attributes import Attribute, Judge, Targets, judge_of, noise_like
from genlab.editing.optimise import axes_of, learned, settled, staying
from genlab.editing.space import Space
from genlab.errors import ConfigError, DataError
from genlab.evaluation.reference import most_probable
from genlab.latent import Step, factorised, in_deviations, principal
from genlab.pixels import normalise
from genlab.settings.edit import Edit

log = logging.getLogger(__name__)

FLIPPED = 0.85  # share of pictures that the automatic strength changes, also seen through noise
STRENGTHS = torch.arange(0.5, 3.01, 0.125)  # that are tried for it


@dataclass(frozen=True)
class Bench:
    """A model's space, and codes drawn from it."""

    space: Space
    settings: Edit

    @cached_property
    def codes(self) -> Tensor:
        """(N, layers, n)."""
        return self.space.draw(self.settings.codes, self.settings.seed)

    @property
    def free(self) -> Tensor:
        """What may change of the drawn codes, (N, layers, m)."""
        return self.space.free(self.codes)

    @cached_property
    def judge(self) -> Judge:
        """Who says what pictures show; DataError where the data have other classes by now."""
        loaded = self.space.loaded
        judge = judge_of(loaded)
        if judge.classes != loaded.description.classes:
            raise DataError(
                f"run={loaded.folder.path}: its data have other classes than when it was trained: "
                "restore the data, or train again"
            )
        return judge

    @cached_property
    def told(self) -> dict[str, Tensor]:
        """The labels (N,) of the drawn codes' pictures."""
        return self.tell(self.codes)

    def pictures(self, codes: Tensor) -> Tensor:
        """Uint8 (N, C, H, W)."""
        return self.space.pictures(codes, self.settings.batch_size)

    def tell(self, codes: Tensor) -> dict[str, Tensor]:
        """The labels (N,) of codes' pictures."""
        return self.judge.told(self.pictures(codes))

    def flipped(self, codes: Tensor, targets: Targets) -> dict[str, float]:
        """Shares of codes' pictures that meet the targets, as they are and seen through noise."""
        pictures = self.pictures(codes)
        generator = torch.Generator().manual_seed(0)
        noisy = []
        for part in pictures.split(self.settings.batch_size):
            noise = noise_like(part, generator)
            seen = normalise(part.to(self.space.loaded.device))
            with torch.no_grad():
                told = most_probable(self.judge.log_probabilities(seen, noise))
            noisy.append(met({name: kinds.cpu() for name, kinds in told.items()}, targets))
        return {
            "flipped": float(met(self.judge.told(pictures), targets).float().mean()),
            "flipped_through_noise": float(torch.cat(noisy).float().mean()),
        }

    def moved(self, codes: Tensor, step: Step, strengths: Tensor) -> Tensor:
        """Codes (N, layers, n) after strengths (S,) times their steps: (N, S, layers, n)."""
        moves = self.space.moves(step(self.space.free(codes)), codes)
        return codes[:, None] + strengths[:, None, None] * moves[:, None]

    def stepped(self, codes: Tensor, step: Step, strength: float) -> Tensor:
        """Codes (N, layers, n) after so many times their steps."""
        return self.moved(codes, step, torch.tensor([strength]))[:, 0]

    def editor(self, step: Step, targets: Targets, strength: float) -> Callable[[Tensor], Tensor]:
        """What takes codes (N, layers, n) where the step leads, and settles each by itself."""
        if not self.settings.settle:
            return lambda codes: self.stepped(codes, step, strength)
        lacking = self._lacking(targets, self.settings.seed + 1)
        stay = staying(self.pictures(lacking), self.pictures(self.stepped(lacking, step, strength)))
        axes = axes_of(self.free[:, 0])

        def edit(codes: Tensor) -> Tensor:
            ends = self.stepped(codes, step, strength)
            steps, seed = self.settings.settle, self.settings.seed
            return settled(self.space, self.judge, targets, codes, ends, axes, stay, steps, seed)

        return edit

    def share(self, attribute: Attribute) -> float:
        """Of the drawn pictures, with the attribute; ConfigError where all have it or none has."""
        held = attribute.held(self.told)
        if held.all() or not held.any():
            raise ConfigError(
                f"{attribute.name}: {'all' if held.any() else 'none'} of {len(held)} drawn "
                "pictures show it: set codes= to more, or train on"
            )
        return float(held.float().mean())

    def change(self, attribute: Attribute) -> Step:
        """The step that gives codes the attribute and leaves all else, see `learned`."""
        self.share(attribute)
        held = attribute.held(self.told)
        return learned(self.space, self.judge, attribute, self.codes, held, self.settings.seed)

    def components(self, method: str, count: int) -> list[Step]:
        """Steps of one standard deviation of codes along what they vary in most, at most `count`.

        By `method` pca (GANSpace), or factorised: what layers of a StyleGAN magnify most (SeFa).
        """
        codes = self.free[:, 0]
        most = min(count, *codes.shape)
        if method == "pca":
            directions = principal(codes, most)
        else:
            directions = factorised(_style_weights(self.space), most)
        return [Step.constant(direction) for direction in in_deviations(directions, codes)]

    def strength(self, step: Step, targets: Targets) -> float:
        """The smallest that changes FLIPPED of the pictures, or the one that changes most of them.

        Also as seen through noise, so that it is seen.
        """
        codes = self._lacking(targets, self.settings.seed + 1)
        best, most = 0.0, -1.0
        for strength in STRENGTHS:
            edited = self.stepped(codes, step, float(strength))
            share = min(self.flipped(edited, targets).values())
            if share > most:
                best, most = float(strength), share
            if share >= FLIPPED:
                return best
        log.warning("no strength changes %g of the pictures: %.2f at most", FLIPPED, most)
        return best

    def report(self, edit: Callable[[Tensor], Tensor], targets: Targets) -> dict[str, Any]:
        """Shares of fresh pictures that an edit of codes changes as asked, and that stay else."""
        codes = self._lacking(targets, self.settings.seed + 2)
        before = self.tell(codes)
        edited = edit(codes)
        after = self.tell(edited)
        shares = self.flipped(edited, targets)
        for attribute in self.judge.others(list(targets)):
            same = attribute.held(after) == attribute.held(before)
            shares[f"kept/{attribute.label}"] = float(same.float().mean())
        for name, value in shares.items():
            log.info("%-28s %.3f", name, value)
        return {
            **shares,
            "pictures": len(codes),
            "space": self.space.name,
            "classifier": self.judge.network.name,
            "classifier_sha256": self.judge.network.weights_sha256,
        }

    def _lacking(self, targets: Targets, seed: int) -> Tensor:
        """Fresh codes whose pictures do not yet show all that is asked for."""
        codes = self.space.draw(self.settings.check, seed)
        codes = codes[~met(self.tell(codes), targets)]
        if not len(codes):
            raise ConfigError(
                f"check={self.settings.check}: all of these pictures show it already: set it to "
                "more"
            )
        return codes


def _style_weights(space: Space) -> list[Tensor]:
    """The weights (outputs, n) of all layers that take a style."""
    if space.learner.styles is None:
        raise ConfigError("direction=factorised: this model has no styles: use direction=pca")
    modules = space.learner.styles.decoder.synthesis.named_modules()
    layers: list[Any] = [module for name, module in modules if name.endswith("affine")]
    return [(layer.weight * layer.scale).cpu() for layer in layers]


def met(told: Mapping[str, Tensor], targets: Targets) -> Tensor:
    """Whether pictures of labels (N,) have what is asked for and lack the rest, bool (N,)."""
    return torch.stack([each.held(told) == wanted for each, wanted in targets.items()]).all(0)
