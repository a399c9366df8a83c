import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize("model", ["vae", "dcgan"])
def test_sample_writes_arrays_that_depend_on_the_seed(genlab, runs, tmp_path, model: str) -> None:
    arrays = {}
    for name, seed, batch in (("a", 0, 250), ("b", 0, 250), ("c", 1, 250), ("d", 0, 7)):
        code, _, err = genlab(
            "sample",
            f"run={runs[model]}",
            "count=20",
            "format=npz",
            f"seed={seed}",
            f"batch_size={batch}",
            f"out={tmp_path / name}.npz",
        )
        assert (code, err) == (0, "")
        arrays[name] = np.load(tmp_path / f"{name}.npz", allow_pickle=False)["images"]
    assert arrays["a"].shape == (20, 8, 8, 1)
    assert arrays["a"].dtype == np.uint8
    assert np.array_equal(arrays["a"], arrays["b"])
    assert not np.array_equal(arrays["a"], arrays["c"])
    assert np.abs(arrays["a"].astype(int) - arrays["d"]).max() <= 1


def test_sample_writes_a_grid_or_single_files(genlab, runs, tmp_path: Path) -> None:
    assert genlab("sample", f"run={runs['dcgan']}", f"out={tmp_path / 'g.png'}")[0] == 0
    with Image.open(tmp_path / "g.png") as image:
        assert image.size[0] > 400
    code, out, _ = genlab(
        "sample", f"run={runs['dcgan']}", "format=png", "count=12", f"out={tmp_path / 'single'}"
    )
    assert code == 0
    assert str(tmp_path / "single") in out
    files = sorted((tmp_path / "single").iterdir())
    assert [file.name for file in files] == [f"{i:02}.png" for i in range(12)]
    with Image.open(files[0]) as image:
        assert image.size == (8, 8)


def test_reconstruct_pairs_rebuilt_images_with_their_originals_and_labels(
    genlab, runs, tmp_path: Path
) -> None:
    code, _, err = genlab(
        "reconstruct",
        f"run={runs['vae']}",
        "split=test",
        "count=10",
        "format=npz",
        f"out={tmp_path / 'r.npz'}",
    )
    assert (code, err) == (0, "")
    stored = np.load(tmp_path / "r.npz", allow_pickle=False)
    assert stored["images"].shape == stored["originals"].shape == (10, 8, 8, 1)
    assert stored["labels"].shape == (10,)
    assert genlab("reconstruct", f"run={runs['vae']}")[0] == 0


def test_a_gan_does_not_reconstruct(genlab, runs) -> None:
    code, _, err = genlab("reconstruct", f"run={runs['dcgan']}")
    assert code == 2
    assert "use genlab sample" in err


@pytest.mark.parametrize("model", ["vae", "dcgan"])
def test_evaluate_writes_scores_and_how_they_came_about(genlab, runs, model: str) -> None:
    code, out, err = genlab("evaluate", f"run={runs[model]}", "count=150", "features=classifier")
    assert (code, err) == (0, ""), err
    evaluation = json.loads((runs[model] / "evaluation.json").read_text())
    metrics, stamp = evaluation["metrics"], evaluation["stamp"]
    assert metrics["frechet_distance"] > 0
    assert 0 <= metrics["coverage"] <= 1
    assert stamp["generated_images"] == 150
    assert stamp["split"] == "test"
    assert stamp["features"].startswith("genlab classifier")
    assert len(stamp["features_sha256"]) == 64
    assert ("psnr" in metrics) == (model == "vae")
    assert 1 <= metrics["classifier_score/label"] <= 10
    assert metrics["modes_covered"] <= metrics["modes_known"] == 10
    assert metrics["class_divergence"] >= 0
    assert metrics["nearest_training_ratio"] > 0
    assert "ms_ssim" not in metrics  # of 8 pixels there is no window of 11
    assert (runs[model] / "evaluation_neighbours.png").exists()
    assert "frechet_distance" in out
    again = genlab("evaluate", f"run={runs[model]}", "count=150", "features=classifier")
    assert again[0] == 0
    assert json.loads((runs[model] / "evaluation.json").read_text()) == evaluation


def test_a_conditional_models_pictures_are_asked_for_their_labels(genlab, conditional) -> None:
    code, _, err = genlab("evaluate", f"run={conditional}", "count=100", "features=classifier")
    assert (code, err) == (0, "")
    metrics = json.loads((conditional / "evaluation.json").read_text())["metrics"]
    assert 0 <= metrics["label_accuracy/label"] <= 1


def test_unknown_words_name_the_choices(genlab, runs) -> None:
    for arguments, words in (
        (("sample", "format=jpg"), "choose one of grid, png, npz"),
        (("reconstruct", "split=tset"), "did you mean test?"),
        (("evaluate", "features=vgg"), "choose one of auto, inception, classifier"),
        (("sample", "count=0"), "count=0 must be"),
        (("evaluate", "count=1"), "count=1: distances need at least 2"),
        (("evaluate", "likelihood_images=0"), "likelihood_images=0 must be"),
    ):
        run = runs["vae"]
        code, _, err = genlab(arguments[0], f"run={run}", *arguments[1:])
        assert code == 2
        assert words in err


def test_damaged_weights_are_refused(genlab, runs, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(runs["vae"], copy)
    (copy / "weights.safetensors").write_bytes(b"nothing")
    code, _, err = genlab("sample", f"run={copy}")
    assert code == 4
    assert "not a weights file" in err
    (copy / "weights.safetensors").write_bytes((runs["dcgan"] / "weights.safetensors").read_bytes())
    code, _, err = genlab("sample", f"run={copy}")
    assert code == 4
    assert "do not fit" in err


def test_a_strangers_config_runs_no_code(genlab, runs, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(runs["vae"], copy)
    config = (copy / "config.yaml").read_text()
    attack = config.replace("genlab.learners.Reconstruction", "os.system")
    (copy / "config.yaml").write_text(attack)
    code, _, err = genlab("sample", f"run={copy}")
    assert code == 4  # the folder's fault, and not that of a setting on the command line
    assert "config.yaml" in err
    assert "_target_ os.system is refused" in err


def test_few_labelled_images_are_scored_too(
    genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classifier that serves as feature network trains on batches of what there is."""
    monkeypatch.setattr("genlab.evaluation.classifier_run.CLASSIFIER_IMAGES", 200)
    run = tmp_path / "few"
    few = ["data=digits", "data.resolution=16", "data.validation=1567", "data.batch_size=16"]
    tiny = ["trainer=cpu", "total_images=64", "samples.count=4"]
    assert genlab("train", "model=dcgan", *few, *tiny, f"hydra.run.dir={run}")[0] == 0
    code, _, err = genlab("evaluate", f"run={run}", "features=classifier", "count=60")
    assert (code, err) == (0, "")
    metrics = json.loads((run / "evaluation.json").read_text())["metrics"]
    assert metrics["frechet_distance"] > 0
