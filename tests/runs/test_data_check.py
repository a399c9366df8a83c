"""Images are found wherever a command is run, and noticed when they are others."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from genlab.config.paths import absolute, relative
from genlab.config.run import RunConfig

SMALL = ["model=vae_mlp", "data=folder", "data.resolution=8", "data.batch_size=16", "trainer=cpu"]
SMALL += ["samples.count=4"]


def drawn(folder: Path, seed: int) -> Path:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for number in range(60):
        pixels = generator.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def trained(genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run on the folder ours/photos, named from ours."""
    drawn(tmp_path / "ours" / "photos", 0)
    monkeypatch.chdir(tmp_path / "ours")
    words = ["data.path=photos", "total_images=100", f"hydra.run.dir={tmp_path / 'run'}"]
    code, _, err = genlab("train", *SMALL, *words)
    assert (code, err) == (0, "")
    return tmp_path / "run"


def test_paths_are_from_the_root_and_followed_from_anywhere(
    genlab, tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load((trained / "config.yaml").read_text())
    photos = str(tmp_path / "ours" / "photos")
    assert config["data"]["path"] == config["data"]["source"]["path"] == photos
    drawn(tmp_path / "theirs" / "photos", 1)
    monkeypatch.chdir(tmp_path / "theirs")
    code, out, err = genlab("train", f"resume={trained}", "total_images=200")
    assert (code, err) == (0, "")
    assert "not those" not in out
    assert yaml.safe_load((trained / "config.yaml").read_text())["data"]["path"] == photos


def test_other_images_are_refused_unless_asked_for(genlab, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "ours" / "photos" / "0.png").unlink()
    code, _, err = genlab("train", f"resume={trained}", "total_images=200")
    assert code == 4
    assert "the images are not those" in err
    assert "allow_changes=true" in err
    code, out, err = genlab("train", f"resume={trained}", "total_images=200", "allow_changes=true")
    assert (code, err) == (0, "")
    assert "continuing with these" in out
    assert genlab("train", f"resume={trained}", "total_images=300")[0] == 0


def test_a_folder_that_has_moved_is_named_anew(genlab, tmp_path: Path, trained: Path) -> None:
    shutil.copytree(tmp_path / "ours" / "photos", tmp_path / "moved")  # with its times
    os.chdir(tmp_path)
    shutil.rmtree(tmp_path / "ours")
    words = [f"resume={trained}", "total_images=200", f"data.path={tmp_path / 'moved'}"]
    code, _, err = genlab("train", *words)
    assert code == 4
    assert "data.path: " in err
    assert genlab("train", *words, "allow_changes=true")[0] == 0


def test_a_relative_path_of_an_older_run_is_said(genlab, tmp_path: Path, trained: Path) -> None:
    config = yaml.safe_load((trained / "config.yaml").read_text())
    config["data"]["path"] = config["data"]["source"]["path"] = "photos"
    (trained / "config.yaml").write_text(yaml.safe_dump(config))
    (trained / "data.json").unlink()
    os.chdir(tmp_path / "ours")
    code, out, err = genlab("train", f"resume={trained}", "total_images=200")
    assert (code, err) == (0, "") or "data.path" in err
    assert "photos is relative in config.yaml" in out


def config_of(**data: object) -> RunConfig:
    """A config with these data, of no model."""
    usual = {"resolution": 8, "channels": 1, "validation": 0.1, "test": 0.1, "flip": False}
    usual |= {"batch_size": 4, "in_memory_gb": 1}
    return RunConfig.read({"model": {}, "trainer": {}, "seed": 0, "data": {**usual, **data}})


def test_styles_are_no_paths() -> None:
    config = config_of(first="pixel-art", source={"first": {"style": "pixel-art"}}, extra=None)
    assert absolute(config) == config


def test_each_of_two_folders_is_found() -> None:
    source = {"_target_": "x", "first": {"path": "a"}, "second": {"path": "/b"}}
    config = config_of(first="a", second="/b", source=source, extra="c.npz")
    assert relative(config) == ["a", "c.npz"]
    data, here = absolute(config).data, Path.cwd()
    assert data.plain["first"] == data.source["first"]["path"] == str(here / "a")
    assert data.plain["second"] == "/b"
    assert data.extra == str(here / "c.npz")
