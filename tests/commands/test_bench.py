"""What an edit is worked out of, with a generator and a classifier that are known."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.editing.attributes import Attribute, Judge
from genlab.editing.editor import Bench
from genlab.editing.optimise import settled, staying
from genlab.errors import ConfigError
from genlab.latent import Step
from genlab.settings.edit import Edit

# What the three labels read from codes of four numbers: the second is mixed up with the first.
SCORES = torch.tensor([[4.0, 0, 0, 0], [3.0, 4, 0, 0], [0, 0, 4, 0]])
NAMES = ("glasses", "hat", "hair")


class Linear(Judge):
    """Reads labels of two classes from pictures by SCORES."""

    @property
    def classes(self) -> dict[str, list[str]]:
        return {name: ["no", "yes"] for name in NAMES}

    def told(self, pictures: Tensor) -> dict[str, Tensor]:
        odds = pictures.flatten(1) @ SCORES.T
        return {name: (odds[:, i] > 0).long() for i, name in enumerate(NAMES)}

    def log_probabilities(self, pictures: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        seen = pictures if noise is None else pictures + noise
        odds = seen.flatten(1) @ SCORES.T
        both = torch.stack([-odds / 2, odds / 2], 2).log_softmax(2)
        return {name: both[:, i] for i, name in enumerate(NAMES)}


def linear_bench() -> Bench:
    """Codes are their own pictures."""

    def draw(count: int, seed: int) -> Tensor:
        return torch.randn(count, 1, 4, generator=torch.Generator().manual_seed(seed))

    space: Any = SimpleNamespace(
        loaded=SimpleNamespace(device=torch.device("cpu")),
        draw=draw,
        free=lambda codes: codes,
        moves=lambda directions, codes: directions,
        generate=lambda codes: codes[:, None],
        pictures=lambda codes, batch_size: codes[:, None],
    )
    bench = Bench(space, Edit(codes=500, check=500, seed=0, batch_size=100, settle=100))
    loaded: Any = SimpleNamespace(alike=[])
    network: Any = None
    vars(bench)["judge"] = Linear(loaded, network)
    return bench


def test_a_change_gives_what_is_asked_for_and_keeps_the_rest() -> None:
    bench = linear_bench()
    step = bench.change(Attribute("glasses:yes", "glasses", (1,)))
    codes = bench.space.draw(1000, 1)
    before = bench.judge.told(codes)
    without = before["glasses"] == 0
    steps = step(codes)
    odds = (steps.flatten(1) @ SCORES.T).mean(0)
    assert odds[0] > 2 * odds[1:].abs().max()
    after = bench.judge.told((codes + steps)[without])
    assert after["glasses"].float().mean() > 0.9
    for name in ("hat", "hair"):
        assert (after[name] == before[name][without]).float().mean() > 0.9
    # The gradient of the label alone would have changed the second one with it.
    plain = SCORES[0] / SCORES[0].square().sum() * (steps @ SCORES[0]).mean()
    worse = bench.judge.told((codes + plain)[without])
    kept = [(told["hat"] == before["hat"][without]).float().mean() for told in (after, worse)]
    assert kept[0] > kept[1] + 0.1


def test_settled_codes_keep_what_the_step_has_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.editing.optimise.STAYING", 1.0)
    bench = linear_bench()
    targets = {Attribute("glasses:yes", "glasses", (1,)): True}
    codes = bench.space.draw(1000, 1)
    before = bench.judge.told(codes)
    codes = codes[before["glasses"] == 0]
    before = bench.judge.told(codes)
    step = Step.constant(torch.tensor([1.5, 0, 0, 0]))
    plain, settled = (
        bench.judge.told(ends)
        for ends in (codes + step(codes), bench.editor(step, targets, 1.0)(codes))
    )
    kept = [(told["hat"] == before["hat"]).float().mean() for told in (plain, settled)]
    flipped = [told["glasses"].float().mean() for told in (plain, settled)]
    assert kept[1] > max(0.9, kept[0] + 0.1)
    assert flipped[1] > max(0.9, flipped[0])


def test_settled_codes_keep_pixels_that_should_stay() -> None:
    bench = linear_bench()
    starts = bench.space.draw(100, 1)
    ends = starts + torch.tensor([1.5, 0, 0, 0.5])
    targets = {Attribute("glasses:yes", "glasses", (1,)): True}
    stay = staying(starts[:, None], starts[:, None] + torch.tensor([1.5, 0, 0, 0]))
    assert stay.tolist() == [[0, *[pytest.approx(4 / 3)] * 3]]
    codes = settled(bench.space, bench.judge, targets, starts, ends, torch.eye(4), stay, 40, seed=0)
    changes = (codes - starts).abs().mean((0, 1))
    assert changes[3] < 0.1
    assert changes[0] > 1


def test_without_settling_codes_go_where_the_step_leads() -> None:
    bench = linear_bench()
    codes = bench.space.draw(3, 1)
    step = Step.constant(torch.ones(4))
    plain = Bench(bench.space, replace(bench.settings, settle=0))
    assert torch.equal(plain.editor(step, {}, 0.5)(codes), codes + 0.5)


def test_the_same_seed_finds_the_same_change() -> None:
    attribute = Attribute("hair:yes", "hair", (1,))
    first, second = (linear_bench().change(attribute) for _ in range(2))
    assert torch.equal(first.offset, second.offset)
    assert torch.equal(first.matrix, second.matrix)


def test_what_no_picture_shows_cannot_be_learned() -> None:
    bench = linear_bench()
    vars(bench)["told"] = {name: torch.zeros(500, dtype=torch.long) for name in NAMES}
    with pytest.raises(ConfigError, match="none of 500 drawn pictures show it"):
        bench.change(Attribute("hair:yes", "hair", (1,)))
