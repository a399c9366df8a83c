"""Runs and settings from before players and remedies were objects of their own.

`older/models.json` holds models of configs as they were stored then, and the names and shapes of
their learners' tensors.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from genlab.config.build import without_memory
from genlab.config.migration import migrated, migrated_state, renamed
from genlab.config.schema import build, check
from genlab.errors import ConfigError

OLDER: dict[str, Any] = json.loads((Path(__file__).parent / "older" / "models.json").read_text())


@pytest.mark.parametrize("name", OLDER)
def test_models_of_before_are_built_with_tensors_of_the_same_shapes(name: str) -> None:
    model = migrated({"model": OLDER[name]["model"]})["model"]
    check({"model": model})
    tensors = without_memory(model).state_dict()
    older = {key: torch.zeros(shape) for key, shape in OLDER[name]["state"].items()}
    found = migrated_state({"state_dict": older})["state_dict"]
    assert {key: tensor.shape for key, tensor in found.items()} == {
        key: tensor.shape for key, tensor in tensors.items()
    }


@pytest.mark.parametrize("name", OLDER)
def test_what_is_of_today_stays(name: str) -> None:
    today = migrated({"model": OLDER[name]["model"], "seed": 3})
    assert migrated(today) == today
    state = {key: torch.zeros(()) for key in without_memory(today["model"]).state_dict()}
    assert list(migrated_state({"state_dict": state})["state_dict"]) == list(state)


def test_settings_of_players_and_remedies_keep_their_values() -> None:
    model = migrated({"model": OLDER["gan"]["model"]})["model"]
    assert list(model["remedies"]) == [
        "ada",
        "instance_noise",
        "replay",
        "flipped_labels",
        "r1",
        "r2",
        "gradient_penalty",
        "historical_averaging",
        "feature_matching",
        "weight_clipping",
    ]
    assert model["remedies"]["weight_clipping"]["limit"] == 0.5
    assert model["remedies"]["flipped_labels"]["probability"]["start"] == 0.05
    assert model["critic"]["optimizer"]["lr"] == 3e-4
    assert (model["critic"]["auxiliary"], model["generator"]["batches"]) == (0.5, 2)
    learner = build(model, "model")
    critic, generator = learner.optimizers_of_players()
    # R1 in every fourth of the page's steps, R2 in every sixteenth, which is one of these.
    assert critic.defaults["lr"] == pytest.approx(3e-4 / 1.25)
    assert generator.defaults["lr"] == pytest.approx(8e-4)
    dcgan = migrated({"model": OLDER["dcgan"]["model"]})["model"]
    assert dcgan["critic"]["network"]["encoder"]["levels"] == "all"
    assert dcgan["remedies"] == {}


def test_what_further_processes_have_of_their_own_is_renamed_too() -> None:
    own = {"buffers": {"replay.filled": torch.tensor(3)}, "callbacks": {}}
    state = {"state_dict": {"average.network.x": torch.zeros(1)}, "ranks": [None, own]}
    found = migrated_state(state)
    assert list(found["ranks"][1]["buffers"]) == ["critic.remedies.replay.filled"]
    assert found["ranks"][0] is None


def test_ada_of_a_cycle_is_that_of_either_critic() -> None:
    state = dict.fromkeys(["average.x", "translators.y", "augmentation.p"], torch.zeros(()))
    assert set(migrated_state({"state_dict": state})["state_dict"]) == {
        "translators.average.x",
        "translators.network.y",
        "critics.0.remedies.ada.p",
        "critics.1.remedies.ada.p",
    }


@pytest.mark.parametrize(
    "nonsense",
    [
        {"generator_optimizer": 3, "generator": 4, "critic": "x", "penalties": [1]},
        {"generator_optimizer": None, "augmentation": {"_target_": 3}, "replay": "all"},
        {"translator_optimizer": {}, "translators": None, "penalties": {"r1": "x"}},
    ],
)
def test_nonsense_stays_nonsense_that_the_check_refuses(nonsense: dict[str, Any]) -> None:
    model = migrated({"model": {"_target_": "genlab.learners.Adversarial", **nonsense}})["model"]
    with pytest.raises(ConfigError):
        check({"model": model})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model.generator_optimizer.lr", "model.generator.optimizer.lr"),
        ("model.critic_optimizer", "model.critic.optimizer"),
        ("model.generator.latent_size", "model.generator.network.latent_size"),
        ("model.critic.encoder.width", "model.critic.network.encoder.width"),
        ("model.generator.decoder.odd", "model.generator.network.decoder.odd"),
        ("model.autoencoder.encoder.odd", "model.autoencoder.encoder.levels"),
        ("model.translator.width", "model.translator.network.width"),
        ("model.translators.translator.width", "model.translators.network.translator.width"),
        ("model.penalties.gradient.weight", "model.remedies.gradient_penalty.weight"),
        ("model.penalties.r1.every", "model.remedies.r1.every"),
        ("model.penalties", "model.remedies"),
        ("model.replay.size", "model.remedies.replay.size"),
        ("model.weight_clip", "model.remedies.weight_clipping.limit"),
        ("model.instance_noise.start", "model.remedies.instance_noise.deviation.start"),
        ("model.critic_sees_given", "model.critic.sees_given"),
    ],
)
def test_names_of_before_lead_to_todays(old: str, new: str) -> None:
    assert renamed(old) == new


def test_names_of_today_are_not_renamed() -> None:
    names = ["generator.network.latent_size", "critic.network.pack", "critic.optimizer.lr"]
    names += ["translator.network.width", "translator.ema_half_life_images", "remedies.ada.p"]
    names += ["generator.path_length.weight", "adversarial", "critic_steps", "penalties_of_mine"]
    assert [name for name in names if renamed(f"model.{name}")] == []


def test_a_setting_by_its_old_name_is_refused_with_the_new_one(genlab) -> None:
    words = ["data=digits", "model.ema_half_life_images=0", "model.penalties.r1.weight=1"]
    code, _, err = genlab("train", *words)
    assert code == 2
    assert "model.ema_half_life_images is called model.generator.ema_half_life_images now" in err
    assert "model.translator" in err
