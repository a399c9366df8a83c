"""What is not finite is never saved; a run that diverges goes back, and on with other noise."""

import json
import math
from pathlib import Path

import pytest
import torch
from test_kills import files, in_a_fork, killing, train
from test_resume import assert_same_run

from genlab.callbacks import lifecycle
from genlab.callbacks.finite import is_finite
from genlab.learners import Learner
from genlab.learners.learner import Losses
from genlab.runs.checkpoints import checkpoints_of, read_checkpoint

SETTINGS = [
    "model=gan",
    "remedy=[replay,historical_averaging]",
    "model.remedies.replay.size=20",
    "data=gaussian_grid",
    "data.count=600",
    "data.batch_size=16",
    "trainer=cpu",
    "total_images=640",
    "samples.count=4",
    "log.every_images=160",
    "checkpoint.every_images=128",
]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_any_number_that_is_not_finite_is_found(bad: float) -> None:
    good = {"a": [torch.ones(3), {"b": 2.0}], "c": (torch.zeros(2, dtype=torch.long), "word", None)}
    assert is_finite(good)
    assert not is_finite({**good, "d": [bad]})
    assert not is_finite([good, torch.tensor([0.0, bad])])
    assert not is_finite([good, torch.tensor(bad, dtype=torch.bfloat16)])


def parameters(learner: Learner) -> torch.Tensor:
    return next(learner.parameters())


def pool(learner: Learner) -> torch.Tensor:
    return learner.critic.remedies["replay"].pool


def moments(learner: Learner) -> torch.Tensor:
    state = learner.engine.optimizers[0].state
    return next(iter(state.values()))["exp_avg_sq"]


def averages(learner: Learner) -> torch.Tensor:
    return next(learner.exported.parameters())


def past(learner: Learner) -> torch.Tensor:
    return learner.critic.remedies["historical_averaging"].critic.means[0]


def poison(monkeypatch: pytest.MonkeyPatch, where, images: int, times: int) -> list[int]:
    """Put a number that is not finite there once so many images are seen, in so many attempts."""
    whole = Learner.training_step
    poisoned: list[int] = []

    def step(self: Learner, batch) -> Losses:
        losses = whole(self, batch)
        if self.images_seen == images and len(poisoned) < times:
            poisoned.append(self.roll_backs)
            where(self).detach().view(-1)[0] = math.inf
        return losses

    monkeypatch.setattr(Learner, "training_step", step)
    return poisoned


@pytest.mark.parametrize("where", [parameters, pool, moments, averages, past])
def test_nothing_that_is_not_finite_is_saved(
    genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where
) -> None:
    run = tmp_path / "run"
    # On the batch that is saved: no loss has shown it yet.
    poisoned = poison(monkeypatch, where, images=384, times=3)
    code, out, err = genlab("train", *SETTINGS, f"hydra.run.dir={run}")
    assert code == 6
    assert "no longer finite after 384 images" in err
    assert "back to 256 images, with other noise (2 of 2)" in out
    assert poisoned == [0, 1, 2]
    assert [p.name for p in checkpoints_of(run / "checkpoints")] == [
        "images-000000000256.ckpt",
        "images-000000000128.ckpt",
    ]
    assert is_finite(read_checkpoint(checkpoints_of(run / "checkpoints")[0]))
    assert err.count("\n") == 1
    assert len(err) <= 300


def test_a_run_that_diverges_goes_on_with_other_noise_and_resumes_exactly(
    genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, rolled, killed = tmp_path / "plain", tmp_path / "rolled", tmp_path / "killed"
    assert genlab("train", *SETTINGS, f"hydra.run.dir={plain}")[0] == 0
    with monkeypatch.context() as patched:
        poison(patched, parameters, images=288, times=1)  # a row shows it
        code, out, _ = genlab("train", *SETTINGS, f"hydra.run.dir={rolled}")
        assert code == 0
        assert "the losses are no longer finite after 320 images" in out
    ends = [json.loads((run / "summary.json").read_text()) for run in (plain, rolled)]
    assert [end["roll_backs"] for end in ends] == [0, 1]
    assert ends[0]["weights_sha256"] != ends[1]["weights_sha256"]
    assert "nan" not in (rolled / "metrics.csv").read_text()
    assert files(plain) == files(rolled)

    def dies() -> None:
        # It diverges wherever there was no roll-back, as a real cause would.
        whole = Learner.training_step

        def step(self: Learner, batch) -> Losses:
            losses = whole(self, batch)
            if self.images_seen == 288 and not self.roll_backs:
                parameters(self).detach().view(-1)[0] = math.inf
            return losses

        Learner.training_step = step
        killing(lifecycle, "export_weights", 4, after=False)
        train(*SETTINGS, f"hydra.run.dir={killed}")

    assert in_a_fork(dies, {}) == 9
    code, _, err = genlab("train", f"resume={killed}")
    assert (code, err) == (0, "")
    assert_same_run(rolled, killed)


def test_a_run_too_short_for_a_row_does_not_end_well_with_wild_weights(genlab, tmp_path) -> None:
    rates = ["model.rate=100", "model.critic.optimizer.lr=100", "model.generator.optimizer.lr=100"]
    words = ["model=gan", "data=gaussian_grid", "data.count=600", "trainer=cpu", *rates]
    code, _, err = genlab(
        "train", *words, "data.batch_size=16", "total_images=16", f"hydra.run.dir={tmp_path / 'r'}"
    )
    assert code == 6
    assert "before anything was saved" in err
