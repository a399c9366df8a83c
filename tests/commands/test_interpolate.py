from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.runs.held_out import latents_of
from genlab.runs.loaded import load_run


def cells(strip: Path, rows: int, columns: int, apart: int = 0) -> tuple[int, int]:
    """The size that a strip of pictures of 8 pixels should have, without its caption."""
    width = columns * 10 + 2 + 2 * apart
    scale = round(640 / width)
    return width * scale, (rows * 10 + 2) * scale


@pytest.mark.parametrize("model", ["vae", "dcgan"])
@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_strip_has_a_row_for_each_path(
    genlab, runs, tmp_path: Path, model: str, path: str
) -> None:
    out = tmp_path / "s.png"
    words = ["count=3", "steps=7", f"path={path}", f"out={out}"]
    code, said, err = genlab("interpolate", f"run={runs[model]}", *words)
    assert (code, err, said) == (0, "", f"wrote {out}\n")
    with Image.open(out) as image:
        width, height = cells(out, 3, 7)
        assert image.size == (width, height + 26)


def test_real_images_stand_at_the_ends(genlab, runs, tmp_path: Path) -> None:
    out = tmp_path / "s.png"
    words = ["between=images", "count=2", "steps=3", f"out={out}"]
    assert genlab("interpolate", f"run={runs['vae']}", *words)[0] == 0
    loaded = load_run(str(runs["vae"]), "cpu")
    reals = loaded.data.image_set.images[loaded.data.indices("test")][:, 0]
    with Image.open(out) as image:
        width, height = cells(out, 2, 5, apart=2)
        assert image.size == (width, height + 26)
        scale = width // 56
        shown = np.asarray(image.convert("L"))[26::scale, ::scale]
    for left in (2, 46):
        for top in (2, 12):
            real = shown[top : top + 8, left : left + 8]
            assert (reals == real).all((1, 2)).any()


def test_films_go_to_the_end_and_back(genlab, runs, tmp_path: Path) -> None:
    words = ["format=all", "count=4", "steps=5", "frames_per_second=20", f"out={tmp_path}"]
    code, out, err = genlab("interpolate", f"run={runs['dcgan']}", *words)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 3
    (film,) = tmp_path.glob("*.gif")
    with Image.open(film) as gif:
        assert gif.n_frames == 8
        assert gif.info["loop"] == 0
        assert gif.info["duration"] == 50
    (video,) = tmp_path.glob("*.mp4")
    assert video.stat().st_size > 1000


def test_the_seed_decides(genlab, runs, tmp_path: Path) -> None:
    files = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        out = tmp_path / f"{name}.png"
        words = [f"seed={seed}", "count=2", "steps=3", f"out={out}"]
        assert genlab("interpolate", f"run={runs['vae']}", *words)[0] == 0
        files[name] = out.read_bytes()
    assert files["a"] == files["b"] != files["c"]


@pytest.mark.parametrize("between", ["random", "images"])
@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_conditional_models_are_told_labels(
    genlab, conditional: Path, tmp_path: Path, between: str, path: str
) -> None:
    words = [f"between={between}", f"path={path}", "count=2", "steps=3", f"out={tmp_path}"]
    code, _, err = genlab("interpolate", f"run={conditional}", *words)
    assert (code, err) == (0, "")


def test_latents_of_images_carry_their_labels(conditional: Path) -> None:
    loaded = load_run(str(conditional), "cpu")
    labels = {"label": torch.tensor([3, 7])}
    latents = latents_of(loaded, torch.zeros(2, 4), labels)
    assert latents.shape == (2, 14)
    assert loaded.learner.labels_of(latents)["label"].tolist() == [3, 7]


def shown(strip: Path, rows: int, columns: int) -> np.ndarray:
    """Pictures (rows, columns, 16, 16) of a strip."""
    with Image.open(strip) as image:
        scale = image.width // (columns * 18 + 2)
        sheet = np.asarray(image.convert("L"))[::scale, ::scale][-(rows * 18 + 2) :]
    cells = sheet[2:, 2:].reshape(rows, 18, columns, 18).swapaxes(1, 2)
    return cells[:, :, :16, :16]


def test_a_stylegans_paths_lead_through_styles(genlab, styled: Path, tmp_path: Path) -> None:
    strips = {}
    for name, words in {
        "auto": [],
        "w": ["space=w"],
        "z": ["space=z"],
        "all": ["space=w", "layers=1-6"],
        "fine": ["layers=fine"],
        "fine_z": ["layers=fine", "space=z"],
    }.items():
        out = tmp_path / f"{name}.png"
        words = ["count=3", "steps=5", f"out={out}", *words]
        code, _, err = genlab("interpolate", f"run={styled}", *words)
        assert (code, err) == (0, "")
        strips[name] = shown(out, 3, 5).astype(int)
    assert (strips["auto"] == strips["w"]).all()
    assert abs(strips["all"] - strips["w"]).max() <= 1
    for name in strips:  # all start at the same pictures
        assert abs(strips[name][:, 0] - strips["z"][:, 0]).max() <= 1, name
    assert abs(strips["w"][:, -1] - strips["z"][:, -1]).max() <= 1
    assert (strips["w"][:, 2] != strips["z"][:, 2]).any()
    assert abs(strips["fine"][:, -1] - strips["fine_z"][:, -1]).max() <= 1
    assert (strips["fine"][:, -1] != strips["w"][:, -1]).any()


def test_layers_go_into_films_and_names(genlab, styled: Path, tmp_path: Path) -> None:
    words = ["layers=2-3", "format=all", "count=2", "steps=3", f"out={tmp_path}"]
    code, _, err = genlab("interpolate", f"run={styled}", *words)
    assert (code, err) == (0, "")
    name = "interpolation_random_linear_seed0_2x3_w_layers_2-3"
    assert {file.name for file in tmp_path.iterdir()} == {
        name + suffix for suffix in (".png", ".gif", ".mp4")
    }


def test_layers_that_are_not_there_get_one_line(genlab, styled: Path) -> None:
    code, _, err = genlab("interpolate", f"run={styled}", "layers=5-7")
    assert code == 2
    assert "layers=5-7: choose layers from 1 to 6" in err


@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        ("dcgan", ["between=images"], "has no codes"),
        ("vae", ["between=imagse"], "did you mean images?"),
        ("vae", ["path=slerp"], "choose one of linear, spherical"),
        ("vae", ["format=avi"], "choose one of strip, gif, mp4, all"),
        ("vae", ["steps=1"], "steps=1 must be a whole number from 2"),
        ("vae", ["frames_per_second=51"], "from 1 to 50"),
        ("vae", ["frames_per_second=0"], "frames_per_second=0 must be"),
        ("vae", ["between=images", "count=1000"], "set count=90 or less"),
        ("vae", ["format=all", "out=a.png"], "name a folder"),
        ("vae", ["space=x"], "choose one of auto, z, w"),
        ("vae", ["space=w"], "this reconstruction model has no styles"),
        ("dcgan", ["layers=coarse"], "choose the run of a StyleGAN"),
    ],
)
def test_mistakes_get_one_line(genlab, runs, model: str, words: list[str], message: str) -> None:
    code, _, err = genlab("interpolate", f"run={runs[model]}", *words)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
