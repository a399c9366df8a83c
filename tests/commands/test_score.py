"""Strange images among normal ones."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.evaluation.feature_networks import feature_network
from genlab.metrics import FeaturesUnavailable
from genlab.pixels import normalise
from genlab.runs.loaded import LoadedRun, load_run

LEFT_OUT = ["model=stacked_autoencoder", "data=digits", "data.leave_out=[3,6]"]


@pytest.fixture(scope="session")
def normal(trained) -> Path:
    """A small autoencoder that has seen no 3 and no 6."""
    return trained(*LEFT_OUT, "total_images=20000", "model.optimizer.lr=0.003")


@pytest.fixture(scope="session")
def loaded(normal: Path) -> LoadedRun:
    return load_run(str(normal), "cpu")


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def auroc(scores: np.ndarray, strange: np.ndarray) -> float:
    """The share of pairs in order, a tie counting half."""
    above = scores[strange][:, None] - scores[~strange][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def errors(loaded: LoadedRun, images: np.ndarray) -> np.ndarray:
    """(N,) mean squared errors on [0, 1] of images uint8 (N, C, H, W)."""
    given = normalise(torch.from_numpy(images))
    made = loaded.learner.reconstruct(given, {})
    return ((made - given) / 2).square().flatten(1).mean(1).numpy()


def test_classes_left_out_are_found(
    genlab, normal: Path, loaded: LoadedRun, tmp_path: Path
) -> None:
    code, said, err = genlab("score", f"run={normal}", "out=found", "batch_size=50")
    assert (code, err) == (0, "")
    rows = table(Path("found/reconstruction_test.csv"))
    scores = np.array([float(row["score"]) for row in rows])
    assert (np.diff(scores) <= 0).all()
    assert rows[0]["name"] in said
    indices = loaded.data.indices("test")
    images, labels = loaded.data.image_set.images, loaded.data.image_set.labels["label"]
    by_name = {f"test {place}": index for place, index in enumerate(indices)}
    assert {row["name"] for row in rows} == set(by_name)
    order = [by_name[row["name"]] for row in rows]
    assert scores == pytest.approx(errors(loaded, images[order]), rel=1e-4)
    assert [row["label"] for row in rows] == [str(labels[index]) for index in order]

    shares = np.array([float(row["share_of_normal_below"]) for row in rows])
    usual = errors(loaded, images[loaded.data.indices("validation")])
    wanted = (usual[None] < scores[:, None]).mean(1)
    assert np.abs(shares - wanted).max() <= 1.5 / len(usual)
    limit = np.sort(usual)[::-1][int(0.01 * len(usual))]
    clear = np.abs(scores / limit - 1) > 1e-3
    called = np.array([row["strange"] == "yes" for row in rows])
    assert ((scores > limit) == called)[clear].all()
    assert f"threshold {limit:.4g}"[:13] in said

    strange = np.isin(labels[order], [3, 6])
    written = json.loads(Path("found/reconstruction_test.json").read_text())
    metrics = written["metrics"]
    assert metrics["auroc"] == pytest.approx(auroc(scores, strange), abs=2e-3)
    mean = images[loaded.data.indices("train")].mean(0)
    distances = np.square(images[order] - mean).mean((1, 2, 3))
    assert metrics["baseline_auroc"] == pytest.approx(auroc(distances, strange), abs=2e-3)
    assert metrics["auroc"] > max(0.7, metrics["baseline_auroc"])
    assert written["stamp"]["left_out_images"] == strange.sum()
    assert written["stamp"]["left_out"] == [3, 6]
    for name in ("reconstruction_test.png", "reconstruction_test_histogram.png"):
        with Image.open(Path("found", name)) as image:
            assert image.width > 300


def test_the_strangest_picture_of_a_folder_comes_first(
    genlab, normal: Path, loaded: LoadedRun, tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    (folder / "old").mkdir(parents=True)
    images = loaded.data.image_set.images[loaded.data.indices("validation")[:5], 0]
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / "old" / f"{number}.png")
    noise = np.random.default_rng(0).integers(0, 255, (8, 8), np.uint8)
    Image.fromarray(noise).save(folder / "odd.png")
    (folder / "broken.png").write_bytes(b"nothing")
    code, said, err = genlab("score", f"run={normal}", "image=parts", "show=2")
    assert (code, err) == (0, "")
    assert "broken.png cannot be used" in said
    rows = table(normal / "scores" / "reconstruction_images.csv")
    names = [row["name"] for row in rows]
    assert names[0] == "parts/odd.png"
    assert sorted(names[1:]) == [f"parts/old/{number}.png" for number in range(5)]
    assert float(rows[0]["share_of_normal_below"]) > 0.99
    scores = dict(zip(names, (float(row["score"]) for row in rows), strict=True))
    wanted = errors(loaded, images[:, None])
    assert [scores[f"parts/old/{n}.png"] for n in range(5)] == pytest.approx(wanted, rel=1e-4)
    assert "and 4 more" in said
    assert not (normal / "scores" / "reconstruction_images.json").exists()

    code, _, err = genlab("score", f"run={normal}", "image=parts")
    assert code == 2
    assert "exist already: add overwrite=true" in err
    assert genlab("score", f"run={normal}", "image=parts", "overwrite=true")[0] == 0


def test_likelihood_scores_a_variational_autoencoder(genlab, runs, tmp_path: Path) -> None:
    words = ["by=likelihood", "samples=20", "count=30", "normal_images=40", "out=found"]
    assert genlab("score", f"run={runs['vae']}", *words)[0] == 0
    rows = table(Path("found/likelihood_test.csv"))
    assert len(rows) == 30
    loaded = load_run(str(runs["vae"]), "cpu")
    index = loaded.data.indices("test")[int(rows[0]["name"].split()[1])]
    image = normalise(torch.from_numpy(loaded.data.image_set.images[index][None]))
    estimate = loaded.learner.log_likelihood(image, {}, 2000)
    assert float(rows[0]["score"]) == pytest.approx(-estimate.item(), abs=3)
    again = Path("found/likelihood_test.csv").read_text()
    assert genlab("score", f"run={runs['vae']}", *words, "overwrite=true")[0] == 0
    assert Path("found/likelihood_test.csv").read_text() == again


@pytest.mark.parametrize(
    ("model", "words", "code", "message"),
    [
        ("dcgan", [], 2, "does not reconstruct images: choose the run of an autoencoder"),
        ("vae", ["by=likelyhood"], 2, "did you mean likelihood?"),
        ("vae", ["image=nowhere"], 3, "image=nowhere: no such file"),
        ("vae", ["count=0"], 2, "count=0 must be"),
        ("vae", ["split=tset"], 2, "did you mean test?"),
    ],
)
def test_mistakes_get_one_line(genlab, runs, model, words, code: int, message: str) -> None:
    got, _, err = genlab("score", f"run={runs[model]}", *words)
    assert got == code
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_codes_without_a_posterior_have_no_likelihood(genlab, normal: Path) -> None:
    code, _, err = genlab("score", f"run={normal}", "by=likelihood", "out=found")
    assert code == 2
    assert "by=likelihood needs a posterior of codes" in err


def test_labels_are_not_in_files(genlab, conditional: Path) -> None:
    code, _, err = genlab("score", f"run={conditional}", f"image={__file__}")
    assert code == 2
    assert "this model needs labels" in err


def test_without_classes_left_out_there_is_nothing_to_detect(genlab, conditional: Path) -> None:
    assert genlab("score", f"run={conditional}", "out=found", "count=20")[0] == 0
    assert sorted(path.suffix for path in Path("found").iterdir()) == [".csv", ".png"]


def test_training_goes_on_without_the_classes_and_only_so(genlab, tmp_path: Path) -> None:
    words = [*LEFT_OUT, "trainer=cpu", "samples.count=4", "model.rate=1.0", "data.batch_size=32"]
    for name, lengths in (("whole", [640]), ("resumed", [320, 640])):
        run = f"hydra.run.dir={tmp_path / name}"
        for number, images in enumerate(lengths):
            go_on = [f"resume={tmp_path / name}"] if number else [*words, run]
            assert genlab("train", *go_on, f"total_images={images}")[0] == 0
    weights = [(tmp_path / name / "weights.safetensors") for name in ("whole", "resumed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    more = [f"resume={tmp_path / 'whole'}", "total_images=960"]
    code, _, err = genlab("train", *more, "data.leave_out=[3]")
    assert code == 4
    assert "data.leave_out: [3, 6] -> [3]" in err


def test_a_class_that_there_is_not_is_refused_before_training(genlab, tmp_path: Path) -> None:
    words = ["data=digits", "model=stacked_autoencoder", "trainer=cpu", "hydra.run.dir=run"]
    code, _, err = genlab("train", *words, "data.leave_out={lable:[3]}")
    assert code == 2
    assert "data.leave_out: the data have no label lable; did you mean label?" in err
    code, _, err = genlab("train", *words, "data.leave_out=13")
    assert code == 2
    assert "data.leave_out=13: no such class; did you mean 3 or 1?" in err


def test_distances_are_measured_in_one_network_whatever_is_left_out(
    loaded: LoadedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def train_once(config: dict, folder, labels: list[str], instead: str) -> None:
        seen.append(folder.path)
        raise FeaturesUnavailable("seen")

    monkeypatch.setattr("genlab.evaluation.classifier_run._train_once", train_once)
    whole = loaded.config.replaced(data={"leave_out": None})
    for config in (loaded.config, whole):
        with pytest.raises(FeaturesUnavailable, match="seen"):
            feature_network("classifier", config, loaded.device)
    assert seen[0] == seen[1]
