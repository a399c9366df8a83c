"""Strange images, told by an autoencoder of normal ones."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.opened import open_run
from genlab.verbs.score import detection


@pytest.fixture(scope="module")
def without_zeros(trained) -> Path:
    return trained(
        "model=stacked_autoencoder", "data=digits", "data.leave_out='0'", "total_images=20000"
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_detection_by_hand() -> None:
    """Of the six pairs of a strange and a normal image five are in order."""
    scores = np.array([0.1, 0.2, 0.5, 0.4, 0.9])
    strange = np.array([False, False, False, True, True])
    assert detection(scores, strange).auroc == pytest.approx(5 / 6)
    assert detection(scores, strange).average_precision == pytest.approx((1 + 2 / 3) / 2)


def test_only_the_test_part_holds_what_is_left_out(without_zeros) -> None:
    data = open_run(str(without_zeros), "cpu").data
    zeros = {
        s: int((data.image_set.labels["label"][data.indices(s)] == 0).sum())
        for s in ("train", "validation", "test")
    }
    assert zeros["train"] == zeros["validation"] == 0
    assert zeros["test"] > 5


def test_left_out_classes_are_detected(genlab, without_zeros, tmp_path: Path) -> None:
    code, said, err = genlab("score", f"run={without_zeros}", f"out={tmp_path}")
    assert (code, err) == (0, "")
    (table,) = tmp_path.glob("*.csv")
    scores = [float(row["score"]) for row in rows(table)]
    assert scores == sorted(scores, reverse=True)
    shares = [float(row["share_of_normal_below"]) for row in rows(table)]
    assert shares == sorted(shares, reverse=True)
    report = json.loads(table.with_suffix(".json").read_text())
    assert report["metrics"]["auroc/model"] > 0.8
    assert report["metrics"]["auroc/model"] > report["metrics"]["auroc/mean_image"]
    assert report["stamp"]["left_out"] == "0"
    assert table.with_suffix(".png").exists()
    assert table.with_name(f"{table.stem}_histogram.png").exists()
    assert "auroc/model" in said


def test_files_are_scored(genlab, without_zeros, tmp_path: Path) -> None:
    data = open_run(str(without_zeros), "cpu").data
    normal = data.image_set.images[data.indices("validation")[0], 0]
    Image.fromarray(normal).save(tmp_path / "normal.png")
    noise = np.random.default_rng(0).integers(0, 255, normal.shape, np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    out = tmp_path / "table.csv"
    code, _said, err = genlab("score", f"run={without_zeros}", f"image={tmp_path}", f"out={out}")
    assert (code, err) == (0, "")
    assert [Path(row["image"]).name for row in rows(out)] == ["noise.png", "normal.png"]
    assert float(rows(out)[0]["share_of_normal_below"]) > 0.95


def test_likelihoods_are_those_of_the_model(genlab, runs, tmp_path: Path) -> None:
    words = [f"run={runs['vae']}", "by=likelihood", "samples=5", "count=20", f"out={tmp_path}"]
    code, _, err = genlab("score", *words)
    assert (code, err) == (0, "")
    (table,) = tmp_path.glob("*.csv")
    assert all(np.isfinite(float(row["score"])) for row in rows(table))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["train", "data=digits", "data.leave_out=zero"],
            "data.leave_out=zero: no such class",
        ),
        (["train", "data=digits", "data.leave_out={{kind:[zero]}}"], "no label kind"),
        (["score", "run={dcgan}"], "train an autoencoder"),
        (["score", "run={vae}", "by=magic"], "by=magic"),
        (["score", "run={cvae}", "image=."], "told labels"),
    ],
)
def test_mistakes_get_one_line(genlab, runs, conditional, tmp_path, words, told) -> None:
    words = [word.format(**runs, cvae=conditional) for word in words]
    if words[0] == "train":
        words += [f"hydra.run.dir={tmp_path / 'run'}"]
    code, _, err = genlab(*words)
    assert code in (2, 3)
    assert told in err
    assert err.count("\n") == 1


def test_a_folder_is_cleaned(genlab, trained, tmp_path: Path) -> None:
    """Noisy pictures come back nearer to the clean ones, under their names."""
    run = trained(
        "model=stacked_autoencoder", "corruption=gaussian", "data=digits", "total_images=60000"
    )
    data = open_run(str(run), "cpu").data
    clean = data.image_set.images[data.indices("validation")[:20], 0]
    generator = np.random.default_rng(0)
    (tmp_path / "noisy").mkdir()
    for number, image in enumerate(clean):
        noisy = (image + generator.normal(0, 70, image.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(tmp_path / "noisy" / f"{number:02}.png")
    words = ["reconstruct", f"run={run}", f"input={tmp_path / 'noisy'}", f"out={tmp_path / 'out'}"]
    code, _, err = genlab(*words)
    assert (code, err) == (0, "")

    def error(folder: str) -> float:
        made = []
        for path in sorted((tmp_path / folder).glob("*.png")):
            with Image.open(path) as picture:
                made.append(np.asarray(picture))
        assert len(made) == 20
        return float(((np.stack(made).astype(float) - clean) ** 2).mean())

    assert error("out") < 0.8 * error("noisy")
    code, _, err = genlab(*words)
    assert code == 2
    assert "overwrite=true" in err


def test_labels_are_not_guessed(genlab, conditional, tmp_path: Path) -> None:
    code, _, err = genlab("reconstruct", f"run={conditional}", "input=.", f"out={tmp_path}")
    assert code == 2
    assert "told labels" in err


def test_scores_do_not_depend_on_the_batch(genlab, without_zeros, tmp_path: Path) -> None:
    found = []
    for size in (7, 250):
        out = tmp_path / f"{size}.csv"
        words = [f"run={without_zeros}", "count=50", f"batch_size={size}", f"out={out}"]
        assert genlab("score", *words)[0] == 0
        found.append({row["image"]: float(row["score"]) for row in rows(out)})
    assert found[0].keys() == found[1].keys()
    values = [torch.tensor([f[k] for k in sorted(f)]) for f in found]
    torch.testing.assert_close(*values)
