"""What the signs of a run mean, and that a healthy run is left in peace."""

import json
from collections.abc import Callable

import pytest

from genlab.callbacks.diagnosis_rules import Finding, RuleChecker

HEALTHY = {
    "real_accuracy": 0.8,
    "fake_accuracy": 0.85,
    "logit_gap": 2.0,
    "diversity": 0.97,
    "near_duplicates": 0.0,
    "critic_gradient": 1.0,
    "generator_gradient": 0.5,
}


def found(*changes: dict[str, float], after: int = 12) -> list[str]:
    """The findings' first words after healthy rows and then these."""
    rows = [HEALTHY] * after + [HEALTHY | change for change in changes]
    return [finding.finding.split(":")[0] for finding in findings(rows)]


def findings(rows: list[dict[str, float]]) -> list[Finding]:
    checker = RuleChecker()
    new: list[Finding] = []
    for number, row in enumerate(rows):
        new += checker.take(1000 * number, row)
    assert [each.finding for each in new] == list(checker.found)  # each is told once
    return list(checker.found.values())


def test_healthy_rows_are_left_in_peace() -> None:
    assert found() == []
    assert found({"real_accuracy": 1.0, "fake_accuracy": 1.0}, {"near_duplicates": 0.9}) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"near_duplicates": 0.9, "diversity": 0.9}, "collapsed"),
        ({"diversity": 0.5}, "narrowing"),
        (
            {"real_accuracy": 1.0, "fake_accuracy": 0.995, "generator_gradient": 0.001},
            "critic wins",
        ),
        ({"generator_gradient": 80.0}, "exploding"),
        ({"precision": 0.6, "recall": 0.01, "coverage": 0.2}, "few kinds"),
    ],
)
def test_a_sign_that_lasts_is_found(change: dict[str, float], finding: str) -> None:
    assert found(change, change) == []
    assert found(change, change, change) == [finding]


def test_noise_that_ends_is_no_loss_of_variety() -> None:
    """A generator whose first pictures are more varied than the real ones draws noise."""
    noise = [{"diversity": 2.7}] * 6
    assert found(*noise, *[{"diversity": 0.9}] * 6, after=0) == []
    assert found(*noise, *[{"diversity": 0.5}] * 6, after=0) == ["narrowing"]


def test_a_generator_that_never_makes_different_pictures_has_collapsed() -> None:
    same = {"near_duplicates": 1.0, "diversity": 0.05}
    fewer = [{"near_duplicates": 1.0 - 0.04 * n, "diversity": 0.1} for n in range(12)]
    assert found(*[same] * 9, after=0) == []
    assert found(*[same] * 10, after=0) == ["collapsed"]
    assert found(*fewer, after=0) == []


def test_a_critic_that_says_the_same_of_everything_is_blind() -> None:
    blind = {"logit_gap": 1e-5, "real_accuracy": 0.5, "fake_accuracy": 0.5}
    assert found(*[blind] * 10, after=0) == ["critic blind"]
    assert found(*[blind] * 10, after=1) == []
    assert found(*[blind | {"real_accuracy": 0.0, "fake_accuracy": 1.0}] * 10, after=0) != []
    # Logits of a small scale, as clipped weights give them, that tell images well.
    assert found(*[{"logit_gap": 1e-5}] * 10, after=0) == []


def test_a_finding_states_signs_times_and_what_helps() -> None:
    rows = [HEALTHY] * 12 + [HEALTHY | {"near_duplicates": 0.9}] * 4 + [HEALTHY]
    (finding,) = findings(rows)
    assert (finding.first_images, finding.last_images) == (14_000, 15_000)
    assert finding.signs == {"near_duplicates": 0.9, "diversity": 0.97}
    assert "remedy=" in finding.advice


RUN = ["total_images=60000", "log.every_images=2000", "trainer=cpu", "data.batch_size=128"]


@pytest.mark.parametrize("seed", [0, 1])
def test_fires_on_a_gan_made_to_collapse(
    genlab: Callable[..., tuple[int, str, str]], tmp_path, seed: int
) -> None:
    """Dense networks on a thousand modes make the same picture from all latents.

    At rates of 2e-4; with the page's they come out of it before the run ends.
    """
    words = [
        "model=gan",
        "model.critic.network.across=null",
        "model.remedies.r1=null",
        "model.generator.network.decoder.output=tanh",
        "model.generator.optimizer.lr=2e-4",
        "model.critic.optimizer.lr=2e-4",
        "data=stacked_digits",
        "data.count=5000",
        *RUN,
    ]
    code, out, _ = genlab("train", *words, f"seed={seed}", f"hydra.run.dir={tmp_path / 'run'}")
    assert code == 0
    assert "warning: collapsed" in out
    assert "remedy=" in out
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["diagnosis"][0]["last_images"] == summary["images_seen"]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", ["gan", "dcgan", "wgan_gp"])
def test_stays_silent_on_a_healthy_gan(
    genlab: Callable[..., tuple[int, str, str]], tmp_path, model: str, seed: int
) -> None:
    words = [
        f"model={model}",
        "data=digits",
        *RUN,
        f"seed={seed}",
        f"hydra.run.dir={tmp_path / 'run'}",
    ]
    code, out, _ = genlab("train", *words)
    assert code == 0
    assert "warning" not in out
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["diagnosis"] == []


def test_rows_in_which_the_generator_does_not_play_are_passed_over(genlab, tmp_path) -> None:
    words = ["model=wgan_gp", "data=digits", "trainer=cpu", "total_images=2000"]
    words += ["log.every_images=64", f"hydra.run.dir={tmp_path / 'run'}"]
    assert genlab("train", *words)[0] == 0
