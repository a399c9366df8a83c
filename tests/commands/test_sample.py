from pathlib import Path

import numpy as np
import pytest


def sampled(genlab, out: Path, run: Path, *words: str) -> np.ndarray:
    """The pictures that `genlab sample` writes, (N, H, W, C)."""
    code, _, err = genlab(
        "sample", f"run={run}", "format=npz", "overwrite=true", f"out={out}", *words
    )
    assert (code, err) == (0, "")
    images: np.ndarray = np.load(out, allow_pickle=False)["images"]
    return images.astype(int)


def test_truncation_of_styles_goes_from_the_mean_to_the_draws(
    genlab, styled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "t.npz"
    plain = sampled(genlab, out, styled, "count=5")
    table = sampled(genlab, out, styled, "count=5", "truncation=[0,0.5,1]")
    table = table.reshape(5, 3, *plain.shape[1:])
    assert (table[:, 0] == table[0, 0]).all()
    assert np.abs(table[:, 2] - plain).max() <= 1
    assert (table[:, 1] != table[:, 2]).any()
    half = sampled(genlab, out, styled, "count=5", "truncation=0", "truncation_layers=3")
    assert (half != half[0]).any()


@pytest.mark.parametrize("model", ["vae", "dcgan"])
def test_truncation_of_draws_approaches_them(genlab, runs, tmp_path: Path, model: str) -> None:
    out, run = tmp_path / "t.npz", runs[model]
    plain = sampled(genlab, out, run, "count=6")
    loose, strict = (
        sampled(genlab, out, run, "count=6", f"truncation={t}") for t in ("20", "0.001")
    )
    assert np.abs(loose - plain).max() <= 1
    assert np.abs(strict - strict[0]).max() <= 2
    assert strict.shape == plain.shape


def test_truncation_leaves_labels_as_they_are(genlab, conditional: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.npz"
    sampled(genlab, out, conditional, "count=4", "truncation=[0.5,1]")
    labels = np.load(out, allow_pickle=False)["labels"]
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_every_seed_has_a_picture_of_its_own(genlab, runs, tmp_path: Path) -> None:
    out, run = tmp_path / "s.npz", runs["dcgan"]
    some = sampled(genlab, out, run, "seeds=3-5")
    others = sampled(genlab, out, run, "seeds=[5,3-4]")
    assert np.abs(some - others[[1, 2, 0]]).max() <= 1
    single = sampled(genlab, out, run, "seeds=4")
    assert np.abs(single - sampled(genlab, out, run, "count=1", "seed=4")).max() == 0
    assert np.abs(single[0] - some[1]).max() <= 1


def test_seeds_and_truncations_are_told_in_names(genlab, styled: Path, tmp_path: Path) -> None:
    for words, name in (
        (["seeds=[1,7]", "truncation=[0.5,1]"], "samples_seeds1_7_truncation0.5_1"),
        (["seeds=0-3", "truncation=0.7"], "samples_seeds0-3_truncation0.7"),
        (["count=3", "truncation=0.7"], "samples_seed0_3_truncation0.7"),
        (
            ["count=3", "truncation=0.7", "truncation_layers=2"],
            "samples_seed0_3_truncation0.7_layers2",
        ),
        (["count=3"], "samples_seed0_3"),
    ):
        code, out, err = genlab("sample", f"run={styled}", *words, f"out={tmp_path}")
        assert (code, err, out) == (0, "", f"wrote {tmp_path / name}.png\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["truncation=0"], "truncation=0 must be more than 0"),
        (["truncation=[0.5,-1]"], "truncation=-1 must be more than 0"),
        (["truncation=much"], "such as 0.7"),
        (["truncation=[]"], "such as 0.7"),
        (["truncation=nan"], "truncation=nan must be a finite number of at most 3.4e38"),
        (["truncation=1e300"], "truncation=1e+300 must be a finite number of at most 3.4e38"),
        (["count=10001"], "count: a grid has at most 10,000 images, not 10,001"),
        (["count=5001", "truncation=[1,2]"], "not 5,001 at 2 truncations each"),
        (["seeds=0-10000"], "seeds: a grid has at most 10,000 images"),
        (["format=PNG"], "format=PNG"),
        (["truncation_layers=0"], "truncation_layers=0 must be"),
        (["seeds=5-3"], "must be a range 0-63"),
        (["seeds=-1"], "must be a range 0-63"),
        (["seeds=[]"], "seeds=[] must be a range"),
    ],
)
def test_truncations_and_seeds_that_make_no_sense(genlab, runs, words, message: str) -> None:
    code, _, err = genlab("sample", f"run={runs['dcgan']}", *words)
    assert code == 2
    assert message in err


def test_styles_take_no_negative_truncation(genlab, styled: Path) -> None:
    code, _, err = genlab("sample", f"run={styled}", "truncation=-0.5")
    assert code == 2
    assert "truncation=-0.5 must be at least 0" in err


@pytest.mark.parametrize("model", ["vq_vae", "convolutional_autoencoder"])
def test_only_normal_draws_are_truncated(genlab, trained, model: str) -> None:
    run = trained(f"model={model}", "data=digits", "total_images=200")
    code, _, err = genlab("sample", f"run={run}", "truncation=0.5")
    assert code == 2
    assert "truncation is for codes from N(0, I)" in err


def test_points_are_truncated_one_at_a_time(genlab, trained, tmp_path: Path) -> None:
    run = trained("model=gan", "data=gaussian_grid", "total_images=300")
    assert genlab("sample", f"run={run}", "truncation=0.5")[0] == 0
    code, _, err = genlab("sample", f"run={run}", "truncation=[0.5,1]")
    assert code == 2
    assert "one truncation at a time" in err


def test_seeds_of_a_conditional_model_show_all_classes_in_turn(
    genlab, conditional: Path, tmp_path: Path
) -> None:
    def shown(*words: str) -> tuple[np.ndarray, list[int]]:
        out = tmp_path / "s.npz"
        images = sampled(genlab, out, conditional, *words)
        return images, np.load(out, allow_pickle=False)["labels"].tolist()

    images, labels = shown("seeds=0-11")
    assert labels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    # A seed shows the same alone as among others.
    some, told = shown("seeds=[7,11]")
    assert told == [7, 1]
    assert np.abs(some - images[[7, 11]]).max() <= 1
    assert shown("seeds=0-2", "labels={label:4}")[1] == [4, 4, 4]
