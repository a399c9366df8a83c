"""Pictures of the user's own, encoded and decoded."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import load_run


@pytest.fixture(scope="session")
def denoiser(trained) -> Path:
    """A small autoencoder that has learnt to take noise from digits."""
    words = ["networks=dense", "total_images=40000", "model.optimizer.lr=0.003"]
    return trained("model=denoising_autoencoder", "data=digits", *words)


@pytest.fixture
def noisy(denoiser: Path, tmp_path: Path) -> dict[str, np.ndarray]:
    """Noisy digits of the test part in a folder `noisy`; the clean ones by name."""
    data = load_run(str(denoiser), "cpu").data
    clean = data.image_set.images[data.indices("test")[:40], 0]
    noise = np.random.default_rng(0).normal(0, 0.25 * 255, clean.shape)
    (tmp_path / "noisy" / "more").mkdir(parents=True)
    found = {}
    for number, (image, added) in enumerate(zip(clean, noise, strict=True)):
        name = f"more/{number}.png" if number % 2 else f"{number}.png"
        spoilt = (image + added).round().clip(0, 255).astype(np.uint8)
        Image.fromarray(spoilt).save(tmp_path / "noisy" / name)
        found[name] = image
    return found


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_folder_of_noisy_pictures_comes_back_clean_with_its_names(
    genlab, denoiser: Path, noisy, tmp_path: Path
) -> None:
    code, said, err = genlab(
        "reconstruct", f"run={denoiser}", "image=noisy", "out=clean", "batch_size=16"
    )
    assert (code, err) == (0, "")
    assert said.count("images other than 8 x 8 grey are turned upright") == 1
    assert "wrote clean (40 of 40)" in said
    made = {p.relative_to("clean").as_posix(): pixels(p) for p in Path("clean").rglob("*.png")}
    assert made.keys() == noisy.keys()
    before, after = (
        np.mean([np.square(found[name] / 255 - noisy[name] / 255).mean() for name in noisy])
        for found in ({name: pixels(Path("noisy", name)) for name in noisy}, made)
    )
    assert after < 0.75 * before, (before, after)


def test_they_are_taken_as_they_are(genlab, denoiser: Path, noisy) -> None:
    """The run's own noise is not added: what comes back is the learner's plain reconstruction."""
    learner = load_run(str(denoiser), "cpu").learner
    given = torch.from_numpy(pixels(Path("noisy/0.png")).copy())[None, None]
    assert genlab("reconstruct", f"run={denoiser}", "image=noisy/0.png", "out=one.png")[0] == 0
    wanted = to_uint8(learner.reconstruct(normalise(given), {}))[0, 0]
    assert np.abs(pixels(Path("one.png")).astype(int) - wanted.numpy()).max() <= 1


def test_nothing_is_written_over_unasked(genlab, denoiser: Path, noisy) -> None:
    words = ["reconstruct", f"run={denoiser}", "image=noisy/*.png", "out=clean"]
    assert genlab(*words)[0] == 0
    Path("clean/0.png").write_bytes(b"mine")
    code, _, err = genlab(*words)
    assert code == 2
    assert "clean/0.png, clean/10.png, clean/12.png and 17 more exist already" in err
    assert Path("clean/0.png").read_bytes() == b"mine"
    assert genlab(*words, "overwrite=true")[0] == 0
    assert pixels(Path("clean/0.png")).shape == (8, 8)


def test_a_damaged_picture_does_not_lose_the_others(genlab, denoiser: Path, noisy) -> None:
    Path("noisy/0.png").write_bytes(b"nothing")
    code, said, _ = genlab("reconstruct", f"run={denoiser}", "image=noisy", "out=clean")
    assert code == 0
    assert "warning: left out: noisy/0.png cannot be used" in said
    assert "wrote clean (39 of 40)" in said
    assert len(list(Path("clean").rglob("*.png"))) == 39


def test_names_need_no_quotes_and_lists_are_lists(genlab, denoiser: Path, noisy) -> None:
    for number in range(3):
        Path(f"noisy/{number}.png" if number != 1 else "noisy/more/1.png").rename(
            f"a, {number}.png"
        )
    run = ["reconstruct", f"run={denoiser}"]
    assert genlab(*run, "image=a, 0.png", "out=one")[0] == 0
    assert genlab(*run, "image=['a, 1.png','a, 2.png']", "out=one")[0] == 0
    assert sorted(path.name for path in Path("one").iterdir()) == [f"a, {n}.png" for n in range(3)]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["image=nowhere"], 3, "image=nowhere: no such file"),
        (["image=noisy", "out=all.png"], 2, "out=all.png does not fit 40 images"),
        (["image=noisy", "out=noisy", "overwrite=true"], 2, "would replace an original"),
    ],
)
def test_mistakes_get_one_line(genlab, denoiser: Path, noisy, words, code, message) -> None:
    got, _, err = genlab("reconstruct", f"run={denoiser}", *words)
    assert got == code
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_files_do_not_say_labels(genlab, conditional: Path) -> None:
    code, _, err = genlab("reconstruct", f"run={conditional}", f"image={__file__}")
    assert code == 2
    assert "this model needs labels, which image files do not have" in err
