from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.editing.inversion import Inversion, rate_factor
from genlab.editing.space import space_of
from genlab.runs.loaded import load_run
from genlab.settings.project import Project

FAST = ["steps=8", "draws=20"]


def projected(genlab, run: Path, out: Path, *words: str) -> np.lib.npyio.NpzFile:
    code, said, err = genlab("project", f"run={run}", f"out={out}", *words)
    assert (code, err) == (0, "")
    assert "psnr" in said
    (arrays,) = out.glob("*.npz")
    assert len(list(out.glob("*.png"))) == 1
    return np.load(arrays)


@pytest.mark.parametrize(("space", "layers"), [("z", 1), ("w", 1), ("w+", 6), ("auto", 6)])
def test_codes_of_images_in_every_space(genlab, styled, tmp_path, space: str, layers: int) -> None:
    found = projected(genlab, styled, tmp_path, "index=[0,2]", f"space={space}", *FAST)
    assert found["codes"].shape == (2, layers, 128)
    assert found["images"].shape == found["pictures"].shape == (2, 16, 16, 1)


def test_autoencoders_encode(genlab, runs, tmp_path: Path) -> None:
    found = projected(genlab, runs["vae"], tmp_path, "index=3", "split=validation")
    loaded = load_run(str(runs["vae"]), "cpu")
    image = loaded.data.image_set.images[loaded.data.indices("validation")[3]]
    assert np.array_equal(found["images"][0], image.transpose(1, 2, 0))


def test_a_second_projection_leaves_the_first(genlab, runs, tmp_path: Path) -> None:
    for words in ("index=3", "index=[4,5,6]"):
        assert genlab("project", f"run={runs['vae']}", f"out={tmp_path}", words)[0] == 0
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == [
        "projection_test_3_encoder_auto.npz",
        "projection_test_4_and_2_more_encoder_auto.npz",
    ]


@pytest.mark.parametrize("which", ["dcgan", "vae"])
def test_files_are_fitted_and_looked_for(genlab, runs, tmp_path: Path, which: str) -> None:
    images = np.random.default_rng(0).integers(0, 255, (2, 20, 30, 3), np.uint8)
    for number, picture in enumerate(images):
        Image.fromarray(picture).save(tmp_path / f"{number}.bmp")
    words = [f"image={tmp_path}/*.bmp", "method=optimise", *FAST]
    found = projected(genlab, runs[which], tmp_path / "out", *words)
    assert found["images"].shape == (2, 8, 8, 1)
    assert found["names"].tolist() == [f"{tmp_path}/{number}.bmp" for number in range(2)]


def test_a_models_own_pictures_are_found_again(runs) -> None:
    space = space_of(load_run(str(runs["vae"]), "cpu"))
    images = space.images(space.draw(3, seed=9), 10)
    settings = Project(steps=150, draws=50, batch_size=10, seed=0)
    codes, ways = Inversion(space, 1, None, settings).invert(images)
    assert ways.shape == (3, 8, *images.shape[1:])
    errors = (ways.float() - images[:, None].float()).square().flatten(2).mean(2)
    assert (errors[:, -1] < errors[:, 0] / 5).all()
    assert torch.equal(space.images(codes, 10), ways[:, -1])


def test_the_rate_rises_and_falls() -> None:
    assert [round(rate_factor(done), 2) for done in (0, 0.05, 0.75, 0.875, 1)] == [
        0.01,
        1,
        1,
        0.5,
        0,
    ]


@pytest.mark.parametrize(
    ("model", "words", "code", "message"),
    [
        ("dcgan", [], 2, "say which images"),
        ("dcgan", [f"image={__file__}", "index=1"], 2, "say which images"),
        ("dcgan", ["image=nowhere.png"], 3, "image=nowhere.png: no such file"),
        ("dcgan", ["image=broken.png"], 3, "broken.png cannot be used"),
        ("dcgan", ["index=10000"], 2, "index=10000 must be"),
        ("dcgan", ["index=[]"], 2, "index=[] is empty"),
        ("dcgan", ["image=[]"], 3, "image=[] is empty"),
        ("dcgan", ["index=0", "method=encoder"], 2, "has no encoder: use method=optimise"),
        ("dcgan", ["index=0", "space=w"], 2, "has no styles: use space=z"),
        ("vae", ["index=0", "space=x"], 2, "choose one of auto, z, w, w+"),
        ("vae", ["index=0", "space=z"], 2, "space=z is for method=optimise"),
    ],
)
def test_mistakes_get_one_line(genlab, runs, model, words, code: int, message: str) -> None:
    Path("broken.png").write_bytes(b"nothing")
    got, _, err = genlab("project", f"run={runs[model]}", *words)
    assert got == code
    assert message in err
    assert len(err.strip().splitlines()) == 1
