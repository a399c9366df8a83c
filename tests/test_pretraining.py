"""Classifiers on pre-trained encoders, and the report of the experiment that compares them."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

TINY = ["data=digits", "data.resolution=16", "trainer=cpu", "samples.count=4"]


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory, command) -> dict[str, Path]:
    """Tiny runs of two autoencoders and a GAN."""
    folder = tmp_path_factory.mktemp("encoders")
    for model in ("convolutional_autoencoder", "cvae", "dcgan"):
        words = [f"model={model}", *TINY, "total_images=600"]
        command("train", *words, f"hydra.run.dir={folder / model}")
    return {path.name: path for path in folder.iterdir()}


def classify(genlab, folder: Path, *arguments: str) -> tuple[int, str, str]:
    return genlab(
        "train",
        "model=classifier",
        *TINY,
        "total_images=128",
        f"hydra.run.dir={folder}",
        *arguments,
    )


@pytest.mark.parametrize("layer", ["codes", "features"])
def test_a_frozen_encoder_keeps_the_runs_weights(genlab, encoders, tmp_path, layer: str) -> None:
    run = encoders["convolutional_autoencoder"]
    code, _, err = classify(
        genlab, tmp_path / "run", f"encoder.run={run}", f"encoder.layer={layer}"
    )
    assert (code, err) == (0, "")
    theirs = load_file(run / "weights.safetensors")
    ours = load_file(tmp_path / "run" / "weights.safetensors")
    shared = {name for name in theirs if name.startswith("encoder.blocks.")}
    assert len(shared) > 5
    for name in shared:
        assert torch.equal(ours[name], theirs[name]), name
    linear = [name for name in ours if name.endswith("bottleneck.linear.weight")]
    assert len(linear) == (layer == "codes")
    for name in linear:
        assert torch.equal(ours[name], theirs["bottleneck.linear.weight"])


def test_the_baseline_has_the_same_networks_and_fresh_weights(genlab, encoders, tmp_path) -> None:
    run = encoders["convolutional_autoencoder"]
    code, _, err = classify(
        genlab, tmp_path / "run", f"encoder.run={run}", "encoder.pretrained=false"
    )
    assert (code, err) == (0, "")
    theirs = load_file(run / "weights.safetensors")
    ours = load_file(tmp_path / "run" / "weights.safetensors")
    assert not torch.equal(ours["encoder.blocks.0.0.weight"], theirs["encoder.blocks.0.0.weight"])


@pytest.mark.parametrize(
    ("run", "arguments", "message"),
    [
        ("dcgan", [], "is no autoencoder"),
        ("cvae", [], "encoder.layer=features"),
        ("convolutional_autoencoder", ["data.resolution=20"], "data.resolution=16"),
        ("convolutional_autoencoder", ["encoder.layer=pixels"], "encoder.layer=pixels"),
    ],
)
def test_encoders_that_do_not_fit_are_refused(
    genlab, encoders, tmp_path, run: str, arguments: list[str], message: str
) -> None:
    code, _, err = classify(genlab, tmp_path / "run", f"encoder.run={encoders[run]}", *arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_conditional_encoders_give_features(genlab, encoders, tmp_path) -> None:
    code, _, err = classify(
        genlab, tmp_path / "run", f"encoder.run={encoders['cvae']}", "encoder.layer=features"
    )
    assert (code, err) == (0, "")


def test_pages_without_an_encoder_are_refused_before_they_are_trained(genlab, tmp_path) -> None:
    code, _, err = classify(genlab, tmp_path / "run", "encoder.page=dcgan")
    assert code == 2
    assert "encoder.page=dcgan is no autoencoder" in err
    assert not list(tmp_path.glob("encoder_*"))


def test_a_classifier_of_the_last_run_goes_on_later(genlab, tmp_path) -> None:
    tiny = [*TINY, "model=stacked_autoencoder", "total_images=256"]
    assert genlab("train", *tiny, f"hydra.run.dir={tmp_path / 'autoencoder'}")[0] == 0
    code, _, err = classify(genlab, tmp_path / "run", "encoder.run=last")
    assert (code, err) == (0, "")
    code, _, err = genlab(
        "train", f"resume={tmp_path / 'run'}", "total_images=192", "allow_changes=true"
    )
    assert (code, err) == (0, "")


def test_labels_per_class_limits_the_training_images(genlab, tmp_path) -> None:
    code, _, err = classify(genlab, tmp_path / "few", "data.labels_per_class=2")
    assert code == 3, err  # batches of 32 from 20 images
    assert "data.batch_size=32" in err
    code, _, err = classify(genlab, tmp_path / "many", "data.labels_per_class=5000")
    assert code == 2
    assert "data.labels_per_class=5000" in err


def test_the_experiment_trains_encoders_first_and_reports(genlab, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    code, out, err = genlab(
        "train",
        "experiment=pretraining",
        *TINY,
        "encoder.total_images=300",
        "total_images=128",
        "data.labels_per_class=5,10",
        "seed=0,1",
        f"hydra.sweep.dir={sweep}",
    )
    assert (code, err) == (0, "")
    assert len(list(sweep.glob("encoder_stacked_denoising_autoencoder_seed?_*"))) == 2
    summaries = [json.loads(path.read_text()) for path in sweep.glob("[0-9]*/summary.json")]
    assert len(summaries) == 8
    assert (sweep / "report.png").stat().st_size > 5000
    table = (sweep / "report.md").read_text()
    assert table in out
    assert "encoder.pretrained=True" in table
    assert table.count("(2)") >= 4
