import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from genlab.config.build import without_memory
from genlab.errors import CheckpointError
from genlab.runs.loaded import load_run


def test_a_run_is_opened_where_it_ended(genlab, tmp_path: Path) -> None:
    """Stages and schedules are functions of images seen: of a finished run, of all of them."""
    code, _, err = genlab(
        "train",
        "model=greedy_autoencoder",
        "model.stages.images_per_block=100",
        "data=digits",
        "data.batch_size=32",
        "total_images=480",
        "trainer=cpu",
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    assert (code, err) == (0, "")
    learner = load_run(str(tmp_path / "run"), "cpu").learner
    assert learner.images_seen == 480
    assert learner.stage == {}


def test_networks_that_do_not_fit_their_weights_take_no_memory(
    small_run: Path, tmp_path: Path, monkeypatch
) -> None:
    """Wide networks beside small weights are refused by their shapes alone."""
    shutil.copytree(small_run, tmp_path / "run")
    stored = OmegaConf.load(tmp_path / "run" / "config.yaml")
    for part in ("encoder", "decoder"):
        stored.model.autoencoder[part].widths = [20_000, 20_000]
    OmegaConf.save(stored, tmp_path / "run" / "config.yaml")
    monkeypatch.setattr(
        "genlab.runs.loaded.build_learner", lambda config: pytest.fail("it is built")
    )
    with pytest.raises(CheckpointError, match=r"weights.safetensors: the weights do not fit"):
        load_run(str(tmp_path / "run"), "cpu")


def test_shapes_take_no_random_numbers(small_run: Path) -> None:
    config = OmegaConf.to_container(OmegaConf.load(small_run / "config.yaml"))
    torch.manual_seed(0)
    before = torch.get_rng_state()
    learner = without_memory(config["model"])
    assert all(parameter.is_meta for parameter in learner.parameters())
    assert torch.equal(torch.get_rng_state(), before)
