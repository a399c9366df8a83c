"""Training from Python beyond one run: what a run builds on is trained first."""

from pathlib import Path

import pytest

import genlab
from genlab.errors import ConfigError

TINY = ["trainer=cpu", "total_images=64", "data.batch_size=16", "samples.count=4"]


def test_an_encoder_of_a_page_is_trained_first(tmp_path: Path) -> None:
    words = [*TINY, "encoder.page=vae_mlp", "encoder.total_images=64", "data.labels_per_class=4"]
    run = genlab.train("classifier", data="digits", overrides=words, folder=tmp_path / "run")
    (encoder,) = (tmp_path / "run").glob("encoder_vae_mlp_seed0_*")
    assert (encoder / "summary.json").exists()
    assert run.config["encoder"]["run"] == str(encoder)
    known = genlab.load(encoder)
    assert known.config["data"]["source"] == run.config["data"]["source"]  # digits, not avatars


def test_a_misspelt_setting_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nope"):
        genlab.train("classifier", data="digits", overrides=["nope=1"], folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()
