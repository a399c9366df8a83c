from pathlib import Path

import pytest
from PIL import Image

from genlab.commands import visualise


def lines(out: str) -> list[str]:
    said = [line for line in out.splitlines() if not line.startswith("projecting ")]
    assert all(line.startswith("wrote ") for line in said)
    return [Path(line.removeprefix("wrote ")).name for line in said]


def test_every_plane_is_drawn_by_label_and_as_images(genlab, runs) -> None:
    code, out, err = genlab("visualise", f"run={runs['vae']}", "count=60")
    assert (code, err) == (0, "")
    names = [
        f"{m}_{kind}_test.png" for m in ("pca", "tsne", "umap") for kind in ("label", "images")
    ]
    assert lines(out) == [*names, "traversals_test.png", "codes_test"]
    for name in names:
        with Image.open(runs["vae"] / "codes" / name) as image:
            assert min(image.size) > 500
    with Image.open(runs["vae"] / "codes" / "traversals_test.png") as image:
        assert image.height > 20 * 40


def test_the_projector_gets_codes_labels_and_sprites(genlab, runs) -> None:
    run = runs["vae"]
    for count in (50, 40):  # the second replaces the first
        words = ["methods=[]", "split=validation", f"count={count}"]
        code, _, err = genlab("visualise", f"run={run}", *words)
        assert (code, err) == (0, "")
    folder = run / "tensorboard" / "codes_validation"
    assert (folder / "projector_config.pbtxt").read_text().count("embeddings") == 1
    (tensors,) = folder.rglob("tensors.tsv")
    assert len(tensors.read_text().splitlines()) == 40
    rows = (tensors.parent / "metadata.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["index", "label"]
    assert len(rows) == 41
    with Image.open(tensors.parent / "sprite.png") as sprite:
        assert sprite.size == (56, 56)  # 7 by 7 digits


def test_two_codes_without_labels_and_few_images(genlab, unlabelled: Path) -> None:
    code, out, err = genlab("visualise", f"run={unlabelled}", "count=4", "methods=[pca]")
    assert (code, err) == (0, "")
    kinds = ["codes_points", "codes_images", "pca_points", "pca_images", "traversals", "decoded"]
    assert lines(out) == [*(f"{kind}_test.png" for kind in kinds), "codes_test"]
    metadata = next((unlabelled / "tensorboard" / "codes_test").rglob("metadata.tsv"))
    assert len(metadata.read_text().splitlines()) == 4


@pytest.mark.parametrize("codes", [1, 300])
def test_one_code_and_many_codes(genlab, trained, codes: int) -> None:
    size = f"model.autoencoder.bottleneck.codes={codes}"
    run = trained("model=stacked_autoencoder", "data=digits", size, "total_images=256")
    words = ["count=12", "tensorboard=false", "methods=[pca,tsne]"]
    code, out, err = genlab("visualise", f"run={run}", *words)
    assert (code, err) == (0, "")
    assert len(lines(out)) == 5


def test_conditional_models_are_traversed_with_labels(genlab, conditional: Path) -> None:
    words = ["count=12", "tensorboard=false", "methods=[]"]
    code, out, err = genlab("visualise", f"run={conditional}", *words)
    assert (code, err) == (0, "")
    assert lines(out) == ["traversals_test.png"]


def test_equal_codes_leave_nothing_to_draw(genlab, runs, monkeypatch) -> None:
    def same(loaded, batch, batch_size):
        return {"values": batch.images.flatten(1).float() * 0}

    monkeypatch.setattr(visualise.LoadedRun, "codes", same)
    code, _, err = genlab("visualise", f"run={runs['vae']}")
    assert code == 3
    assert "all images have the same code" in err


@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        ("dcgan", [], "has no codes: choose the run of an autoencoder"),
        ("vae", ["methods=[pac]"], "did you mean pca?"),
        ("vae", ["methods=pca"], "a list of planes: [pca,umap]"),
        ("vae", ["labels=[hair]"], "choose one of label"),
        ("vae", ["count=2"], "count=2 must be a whole number from 3"),
        ("vae", ["tensorboard=maybe"], "must be true or false"),
    ],
)
def test_mistakes_get_one_line(genlab, runs, model: str, words: list[str], message: str) -> None:
    code, _, err = genlab("visualise", f"run={runs[model]}", *words)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
