"""Generators whose pictures a classifier learns from, and the experiment that compares ratios."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

TINY = ["data=digits", "data.resolution=16", "trainer=cpu", "samples.count=4"]


@pytest.fixture(scope="module")
def generators(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny runs of a conditional GAN and of one without labels."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("generators")
    for model in ("cgan", "dcgan"):
        command = [sys.executable, "-m", "genlab", "train", f"model={model}", *TINY]
        place = f"hydra.run.dir={folder / model}"
        subprocess.run([*command, "total_images=600", place], check=True)
    return {path.name: path for path in folder.iterdir()}


def classify(genlab, folder: Path, *words: str) -> tuple[int, str, str]:
    given = ["train", "model=classifier", *TINY, "total_images=128", "data.batch_size=16"]
    return genlab(*given, f"hydra.run.dir={folder}", *words)


def test_every_class_gets_its_share_of_pictures(genlab, generators, tmp_path: Path) -> None:
    words = [f"generator.run={generators['cgan']}", "generator.ratio=3"]
    code, _, err = classify(genlab, tmp_path / "run", "data.labels_per_class=4", *words)
    assert (code, err) == (0, "")
    (file,) = (tmp_path / "run").glob("synthetic_*.npz")
    with np.load(file) as arrays:
        assert arrays["images"].shape == (120, 16, 16, 1)
        assert np.bincount(arrays["labels"]).tolist() == [12] * 10


def test_a_ratio_of_0_is_no_generator(genlab, generators, tmp_path: Path) -> None:
    words = ["data.labels_per_class=4"]
    assert classify(genlab, tmp_path / "without", *words)[0] == 0
    words += [f"generator.run={generators['dcgan']}", "generator.ratio=0"]
    assert classify(genlab, tmp_path / "with", *words)[0] == 0
    ours, theirs = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("with", "without")
    )
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


def test_a_run_with_pictures_goes_on_exactly(genlab, generators, tmp_path: Path) -> None:
    words = [f"generator.run={generators['cgan']}", "generator.ratio=2", "data.crop=1"]
    words += ["data.labels_per_class=4", "model.rate=1.0"]
    assert classify(genlab, tmp_path / "whole", *words)[0] == 0
    assert classify(genlab, tmp_path / "parts", *words, "total_images=64")[0] == 0
    code, _, err = genlab("train", f"resume={tmp_path / 'parts'}", "total_images=128")
    assert (code, err) == (0, "")
    ours, theirs = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("parts", "whole")
    )
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


@pytest.mark.parametrize(
    ("run", "words", "told"),
    [
        ("dcgan", ["generator.ratio=1"], "is not conditional"),
        ("cgan", ["generator.ratio=1", "data.resolution=20"], "data.resolution=16"),
        ("cgan", ["generator.ratio=-1"], "generator.ratio=-1"),
        (None, ["generator.ratio=1"], "generator.run=PATH"),
    ],
)
def test_generators_that_do_not_fit_are_refused(
    genlab, generators, tmp_path: Path, run: str | None, words: list[str], told: str
) -> None:
    named = [f"generator.run={generators[run]}"] if run else []
    code, _, err = classify(genlab, tmp_path / "run", *named, *words)
    assert code == 2
    assert told in err
    assert len(err.splitlines()) == 1


def test_the_experiment_trains_generators_first_and_reports(genlab, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    words = ["generator.total_images=200", "total_images=64", "data.batch_size=16"]
    words += ["data.labels_per_class=4", "seed=0,1", f"hydra.sweep.dir={sweep}"]
    code, out, err = genlab("train", "experiment=augmentation", *TINY, *words)
    assert (code, err) == (0, "")
    runs = list(sweep.glob("generator_cgan_seed?_*"))
    assert len(runs) == 2
    for run in runs:
        config = (run / "config.yaml").read_text()
        assert "labels_per_class: 4" in config
        assert "DifferentiableAugmentation" in config
    assert len(list(sweep.glob("synthetic_*.npz"))) == 4
    summaries = [json.loads(path.read_text()) for path in sweep.glob("[0-9]*/summary.json")]
    assert len(summaries) == 12
    table = (sweep / "report.md").read_text()
    assert table in out
    assert "data.flip=True, generator.ratio=5" in table
