"""Scores while a run trains: the best weights are kept, and a resumed run ends the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from test_pages import composed

from genlab.config.build import build_data, completed
from genlab.config.run import RunConfig
from genlab.data.stream import take
from genlab.evaluation.memorisation import memorisation
from genlab.evaluation.reference import Reference, build_reference
from genlab.metrics import frechet_distance
from genlab.networks import Condition
from genlab.runs.weights import weights_images_seen

RUN = ["data=digits", "trainer=cpu", "samples.count=4", "model=gan", "log.every_images=1000"]
SCORED = ["evaluate.every_images=2000", "evaluate.count=150"]


def rows(folder: Path) -> list[dict[str, str]]:
    import csv

    with (folder / "metrics.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["evaluation/frechet_distance"]]


def test_best_and_final_are_stated_and_the_best_weights_are_for_use(genlab, tmp_path) -> None:
    run = tmp_path / "run"
    code, out, _ = genlab("train", *RUN, *SCORED, "total_images=9000", f"hydra.run.dir={run}")
    assert code == 0
    assert out.count("frechet_distance") >= 5
    assert "the best so far" in (run / "train.log").read_text()
    summary = json.loads((run / "summary.json").read_text())
    distances = {int(r["images_seen"]): float(r["evaluation/frechet_distance"]) for r in rows(run)}
    assert len(distances) == 5
    assert summary["best"]["value"] == min(distances.values())
    assert distances[summary["best"]["images_seen"]] == summary["best"]["value"]
    final = summary["metrics"]["evaluation/frechet_distance"]
    assert final == distances[summary["images_seen"]]
    best = load_file(run / "best.safetensors")
    assert best.keys() == load_file(run / "weights.safetensors").keys()
    code, _, _ = genlab("sample", f"run={run / 'best.safetensors'}", "count=4")
    assert code == 0
    code, _, _ = genlab(
        "evaluate", f"run={run / 'best.safetensors'}", "count=150", "features=classifier"
    )
    assert code == 0
    stamp = json.loads((run / "evaluation_best.json").read_text())["stamp"]
    assert stamp["weights"]["images_seen"] == summary["best"]["images_seen"]


def test_a_resumed_run_has_the_same_scores_and_the_same_best(genlab, tmp_path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert genlab("train", *RUN, *SCORED, "total_images=6000", f"hydra.run.dir={whole}")[0] == 0
    assert genlab("train", *RUN, *SCORED, "total_images=3000", f"hydra.run.dir={parts}")[0] == 0
    assert genlab("train", f"resume={parts}", "total_images=6000")[0] == 0
    ends = [json.loads((run / "summary.json").read_text()) for run in (whole, parts)]
    assert ends[0]["weights_sha256"] == ends[1]["weights_sha256"]
    kept = ("evaluation/frechet_distance", "evaluation/coverage", "train/critic_gradient")
    assert [ends[0]["metrics"][k] for k in kept] == [ends[1]["metrics"][k] for k in kept]


def test_best_weights_and_summary_agree_after_a_resume_that_does_worse(genlab, tmp_path) -> None:
    run = tmp_path / "run"
    assert genlab("train", *RUN, *SCORED, "total_images=5000", f"hydra.run.dir={run}")[0] == 0
    worse = ["model.generator.optimizer.lr=0.5", "allow_changes=true", "total_images=9000"]
    assert genlab("train", f"resume={run}", *worse)[0] == 0
    best = json.loads((run / "summary.json").read_text())["best"]
    assert best["value"] == min(float(r["evaluation/frechet_distance"]) for r in rows(run))
    assert weights_images_seen(run / "best.safetensors") == best["images_seen"] <= 5056


def test_scores_measured_in_another_way_start_the_best_anew(genlab, tmp_path) -> None:
    run = tmp_path / "run"
    assert genlab("train", *RUN, *SCORED, "total_images=4000", f"hydra.run.dir={run}")[0] == 0
    code, _, err = genlab("train", f"resume={run}", "evaluate.count=120", "total_images=6000")
    assert code == 4
    assert "evaluate.count: 150 -> 120" in err
    other = ["evaluate.count=120", "allow_changes=true", "total_images=6000"]
    code, out, _ = genlab("train", f"resume={run}", *other)
    assert code == 0
    assert "earlier ones do not count" in out
    summary = json.loads((run / "summary.json").read_text())
    assert summary["best"]["images_seen"] > 4000
    assert summary["evaluation"]["count"] == 120


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["evaluate.count=3"], "evaluate.count gives 3 images to score with: 10 are needed"),
        (["data.validation=4"], "data.validation gives 4 images"),
        (["evaluate.features=incepton"], "evaluate.features=incepton is not known: did you mean"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_the_start(genlab, tmp_path, words, told) -> None:
    run = tmp_path / "run"
    code, _, err = genlab("train", *RUN, SCORED[0], *words, f"hydra.run.dir={run}")
    assert code == 2
    assert told in err
    assert not run.exists()


def test_a_model_without_samples_is_refused(genlab, tmp_path) -> None:
    words = ["model=classifier", "data=digits", "trainer=cpu", *SCORED]
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path / 'run'}")
    assert code == 2
    assert "evaluate.every_images=2000: this model makes no samples" in err


def test_points_are_scored_without_any_training(genlab, tmp_path) -> None:
    run = tmp_path / "run"
    words = ["model=gan", "data=gaussian_grid", "data.count=2000", "trainer=cpu"]
    code, _, _ = genlab("train", *words, *SCORED, "total_images=4000", f"hydra.run.dir={run}")
    assert code == 0
    metrics = json.loads((run / "summary.json").read_text())["metrics"]
    assert metrics["evaluation/modes_known"] == 25
    assert 0 <= metrics["evaluation/modes_covered"] <= 25
    code, _, _ = genlab("evaluate", f"run={run}", "count=200")
    assert code == 0
    evaluation = json.loads((run / "evaluation.json").read_text())
    assert evaluation["stamp"]["features"] == "points"
    assert "high_quality" in evaluation["metrics"]
    code, _, _ = genlab("sample", f"run={run}", "count=100", f"out={tmp_path / 'points.png'}")
    assert code == 0
    assert (tmp_path / "points.png").exists()


@pytest.fixture
def class_folders(tmp_path) -> Path:
    """scikit-learn's digits as PNGs, a folder for each class."""
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = tmp_path / "digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image / 16 * 255).astype(np.uint8)).save(folder / f"{number:04d}.png")
    return tmp_path / "digits"


def test_a_part_of_sorted_classes_stands_for_all_of_them(class_folders) -> None:
    """300 of 647 validation images: all ten classes, and distances as of any random draw."""
    words = ["data=folder", f"data.path={class_folders}", "data.resolution=8", "data.channels=1"]
    config = completed(RunConfig.read(composed("model=gan", *words, "data.validation=0.4")))
    data = build_data(config)
    split, image_set = data.indices("validation"), data.image_set
    assert len(split) == 647
    held = build_reference(config, data, "validation", 300, "classifier", torch.device("cpu"))
    assert len(held.images) == 300
    (batch,) = data.held_out("validation", 300, 300)  # what measures look at: the same ones
    assert torch.equal(batch.images, held.images)
    expected = np.bincount(image_set.labels["label"][split], minlength=10) * 300 / 647
    found = np.bincount(batch.labels["label"], minlength=10)
    chi_squared = ((found - expected) ** 2 / expected).sum()
    assert chi_squared < 16.9, found  # exceeded by one in twenty samples with nine degrees
    pixels = [
        images.flatten(1).double() / 255
        for images in (take(image_set, data.indices("train")).images, held.images)
    ]
    middle = pixels[0].mean(0)
    components = torch.linalg.svd(pixels[0] - middle, full_matrices=False)[2][:20]
    training, mine = (values @ components.T for values in pixels)
    seen = take(image_set, split).images.flatten(1).double() / 255 @ components.T
    random = [
        frechet_distance(seen[np.random.default_rng(seed).permutation(647)[:300]], training)
        for seed in range(20)
    ]
    distance = frechet_distance(mine, training)
    assert distance == pytest.approx(np.mean(random), rel=0.2)
    assert frechet_distance(seen[:300], training) > 3 * distance  # the first classes alone


def test_conditional_models_are_scored_on_labels_as_the_data_have_them() -> None:
    labels = {"hat": torch.tensor([0] * 9 + [1]), "hair": torch.tensor([1] * 9 + [0])}
    network: Any = None
    held = Reference(network, torch.zeros(1, 1, 4, 4), labels, {}, count=20)
    condition = Condition({"hat": ["no", "yes"], "hair": ["short", "long"]})
    asked = held.target_labels(condition, 20, seed=0)
    assert asked["hat"].sum() == 2
    assert torch.equal(asked["hair"], 1 - asked["hat"])
    assert held.target_labels(None, 20, seed=0) == {}


def test_memorised_pictures_are_found() -> None:
    generator = torch.Generator().manual_seed(0)

    def pictures(count: int) -> torch.Tensor:
        shape = (count, 1, 8, 8)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

    training, held_out = pictures(500), pictures(200)
    new = memorisation(pictures(200), held_out, training)
    assert new.ratio == pytest.approx(1, abs=0.05)
    assert new.copies < 0.05
    half = torch.cat([training[:100], pictures(100)])
    found = memorisation(half, held_out, training)
    assert found.copies == pytest.approx(0.5, abs=0.05)
    assert found.distances[:, 0].max() == 0
    assert torch.equal(found.images, found.neighbours[::5])
    assert memorisation(training[:100], held_out, training).ratio == 0
    # Where held-out images have exact twins, copies are counted beyond theirs.
    twins = torch.cat([held_out[:150], training[:50]])
    assert memorisation(half, twins, training).copies == pytest.approx(0.25, abs=0.01)
    assert memorisation(half, training[:200], training).ratio is None


def test_the_distance_of_two_gaussians_is_the_closed_form() -> None:
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(40_000, 3, generator=generator, dtype=torch.float64)
    b = 2 * torch.randn(40_000, 3, generator=generator, dtype=torch.float64) + 1
    assert frechet_distance(a, b) == pytest.approx(3 * 1 + 3 * (2 - 1) ** 2, rel=0.03)
