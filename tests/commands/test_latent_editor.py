"""Edits with a known generator and a known classifier."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.editing.attribute_classifier import Attribute, AttributeClassifier
from genlab.editing.latent_editor import LatentEditor
from genlab.editing.optimise import keep_mask, refine
from genlab.errors import ConfigError
from genlab.latent import LatentDirection
from genlab.settings.edit import Edit

# Scores of three labels, linear in codes of four numbers: the second is correlated with the first.
SCORES = torch.tensor([[4.0, 0, 0, 0], [3.0, 4, 0, 0], [0, 0, 4, 0]])
NAMES = ("glasses", "hat", "hair")


class Linear(AttributeClassifier):
    """Classifies images by SCORES into two classes of each label."""

    @property
    def classes(self) -> dict[str, list[str]]:
        return {name: ["no", "yes"] for name in NAMES}

    def labels(self, images: Tensor) -> dict[str, Tensor]:
        odds = images.flatten(1) @ SCORES.T
        return {name: (odds[:, i] > 0).long() for i, name in enumerate(NAMES)}

    def log_probabilities(self, images: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        noisy = images if noise is None else images + noise
        odds = noisy.flatten(1) @ SCORES.T
        both = torch.stack([-odds / 2, odds / 2], 2).log_softmax(2)
        return {name: both[:, i] for i, name in enumerate(NAMES)}


def linear_editor() -> LatentEditor:
    """An editor whose generator is the identity."""

    def draw(count: int, seed: int) -> Tensor:
        return torch.randn(count, 1, 4, generator=torch.Generator().manual_seed(seed))

    space: Any = SimpleNamespace(
        loaded=SimpleNamespace(device=torch.device("cpu")),
        draw=draw,
        free=lambda codes: codes,
        moves=lambda directions, codes: directions,
        generate=lambda codes: codes[:, None],
        images=lambda codes, batch_size: codes[:, None],
    )
    editor = LatentEditor(space, Edit(codes=500, check=500, seed=0, batch_size=100, settle=100))
    loaded: Any = SimpleNamespace(alike=[])
    network: Any = None
    vars(editor)["classifier"] = Linear(loaded, network)
    return editor


def test_a_direction_changes_its_attribute_and_keeps_the_others() -> None:
    editor = linear_editor()
    direction = editor.direction_to(Attribute("glasses:yes", "glasses", (1,)))
    codes = editor.space.draw(1000, 1)
    before = editor.classifier.labels(codes)
    without = before["glasses"] == 0
    steps = direction(codes)
    odds = (steps.flatten(1) @ SCORES.T).mean(0)
    assert odds[0] > 2 * odds[1:].abs().max()
    after = editor.classifier.labels((codes + steps)[without])
    assert after["glasses"].float().mean() > 0.9
    for name in ("hat", "hair"):
        assert (after[name] == before[name][without]).float().mean() > 0.9
    # The gradient of the label alone would have changed the second one with it.
    plain = SCORES[0] / SCORES[0].square().sum() * (steps @ SCORES[0]).mean()
    worse = editor.classifier.labels((codes + plain)[without])
    kept = [(labels["hat"] == before["hat"][without]).float().mean() for labels in (after, worse)]
    assert kept[0] > kept[1] + 0.1


def test_refined_codes_keep_other_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.editing.optimise.PIXELS_WEIGHT", 1.0)
    editor = linear_editor()
    targets = {Attribute("glasses:yes", "glasses", (1,)): True}
    codes = editor.space.draw(1000, 1)
    before = editor.classifier.labels(codes)
    codes = codes[before["glasses"] == 0]
    before = editor.classifier.labels(codes)
    direction = LatentDirection.constant(torch.tensor([1.5, 0, 0, 0]))
    plain, refined = (
        editor.classifier.labels(ends)
        for ends in (codes + direction(codes), editor.edit_function(direction, targets, 1.0)(codes))
    )
    kept = [(labels["hat"] == before["hat"]).float().mean() for labels in (plain, refined)]
    flipped = [labels["glasses"].float().mean() for labels in (plain, refined)]
    assert kept[1] > max(0.9, kept[0] + 0.1)
    assert flipped[1] > max(0.9, flipped[0])


def test_refined_codes_keep_pixels_that_should_stay() -> None:
    editor = linear_editor()
    starts = editor.space.draw(100, 1)
    ends = starts + torch.tensor([1.5, 0, 0, 0.5])
    targets = {Attribute("glasses:yes", "glasses", (1,)): True}
    keep = keep_mask(starts[:, None], starts[:, None] + torch.tensor([1.5, 0, 0, 0]))
    assert keep.tolist() == [[0, *[pytest.approx(4 / 3)] * 3]]
    codes = refine(
        editor.space, editor.classifier, targets, starts, ends, torch.eye(4), keep, 40, seed=0
    )
    changes = (codes - starts).abs().mean((0, 1))
    assert changes[3] < 0.1
    assert changes[0] > 1


def test_without_refinement_codes_move_along_the_direction() -> None:
    editor = linear_editor()
    codes = editor.space.draw(3, 1)
    direction = LatentDirection.constant(torch.ones(4))
    plain = LatentEditor(editor.space, replace(editor.settings, settle=0))
    assert torch.equal(plain.edit_function(direction, {}, 0.5)(codes), codes + 0.5)


def test_the_same_seed_finds_the_same_direction() -> None:
    attribute = Attribute("hair:yes", "hair", (1,))
    first, second = (linear_editor().direction_to(attribute) for _ in range(2))
    assert torch.equal(first.offset, second.offset)
    assert torch.equal(first.matrix, second.matrix)


def test_an_attribute_of_no_image_cannot_be_learned() -> None:
    editor = linear_editor()
    vars(editor)["labels"] = {name: torch.zeros(500, dtype=torch.long) for name in NAMES}
    with pytest.raises(ConfigError, match="none of 500 generated images has it"):
        editor.direction_to(Attribute("hair:yes", "hair", (1,)))
