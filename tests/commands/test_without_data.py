"""What needs weights alone works where a run's data are gone, and what needs data says so."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.data.description import Description
from genlab.data.image_set import ImageSet
from genlab.errors import CheckpointError
from genlab.runs.loaded import load_run


@pytest.fixture(scope="module")
def carried(trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a folder of two classes that is there no longer, nor is the cache of its images."""
    folder = tmp_path_factory.mktemp("carried")
    draw = np.random.default_rng(0).integers
    for number in range(24):
        file = folder / "data" / ("cat" if number % 2 else "dog") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(0, 255, (8, 8, 3), np.uint8)).save(file)
    data = ["data=folder", f"data.path={folder / 'data'}", "data.resolution=8"]
    run = trained("model=vae", *data, "data.batch_size=8", "total_images=64")
    shutil.rmtree(folder / "data")
    return run


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "no_cache"))


@pytest.fixture
def face(tmp_path: Path) -> Path:
    Image.new("RGB", (9, 9), "red").save(tmp_path / "face.png")
    holes = np.zeros((9, 9), np.uint8)
    holes[3:6, 3:6] = 255
    Image.fromarray(holes).save(tmp_path / "mask.png")
    return tmp_path / "face.png"


def test_what_is_known_is_kept_in_the_run(carried: Path) -> None:
    known = json.loads((carried / "data.json").read_text())["description"]
    assert known["shape"] == [3, 8, 8]
    assert known["classes"] == {"label": ["cat", "dog"]}
    assert load_run(str(carried), "cpu").description.plain() == known


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "count=4"],
        ["sample", "count=4", "format=npz"],
        ["interpolate", "count=2"],
        ["score", "image=face.png"],
        ["reconstruct", "image=face.png"],
        ["project", "image=face.png"],
        ["project", "image=face.png", "method=optimise", "steps=2", "draws=4"],
        ["inpaint", "image=face.png", "mask=mask.png", "steps=2", "draws=4"],
        ["edit", "direction=pca", "codes=20"],
        ["edit", "1 - 2 + 3"],
    ],
    ids=lambda words: "_".join(words[:2]),
)
def test_weights_are_enough(genlab, carried: Path, face: Path, words: list[str]) -> None:
    code, _, err = genlab(words[0], f"run={carried}", f"out={face.parent / 'out'}", *words[1:])
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ["reconstruct"],
        ["encode"],
        ["score"],
        ["interpolate", "between=images"],
        ["project", "index=0"],
        ["edit", "direction=label:cat"],
    ],
    ids=lambda words: "_".join(words),
)
def test_what_needs_the_data_says_so(genlab, carried: Path, words: list[str]) -> None:
    code, _, err = genlab(words[0], f"run={carried}", *words[1:])
    assert code == 3
    assert err.count("\n") == 1
    assert "data.path=" in err
    assert "does not exist" in err


def test_runs_that_say_nothing_of_their_data_read_them(runs, tmp_path: Path) -> None:
    old = shutil.copytree(runs["vae"], tmp_path / "old")
    (old / "data.json").unlink()
    described = load_run(str(old), "cpu").description
    assert described == load_run(str(runs["vae"]), "cpu").description
    assert described.shape == (1, 8, 8)


def test_a_description_of_other_images_is_refused(runs, tmp_path: Path) -> None:
    other = shutil.copytree(runs["vae"], tmp_path / "other")
    known = json.loads((other / "data.json").read_text())
    known["description"]["shape"] = [3, 8, 8]
    (other / "data.json").write_text(json.dumps(known))
    with pytest.raises(CheckpointError, match=r"images are \(3, 8, 8\), those of config.yaml"):
        _ = load_run(str(other), "cpu").description


def test_labels_of_one_and_the_same_thing_are_told() -> None:
    glasses = np.array([0, 1, 2, 0])
    colour = np.where(glasses > 0, 0, 1)
    labels = {"glasses": glasses, "colour": colour, "hat": np.array([1, 0, 1, 1])}
    classes = {"glasses": ["none", "dark", "red"], "colour": ["blue", "none"], "hat": ["none", "x"]}
    images = np.zeros((4, 1, 2, 2), np.uint8)
    described = Description.of(ImageSet(images, labels, classes, "a set", None))
    assert described.alike == [["glasses", "colour"]]
    plain = json.loads(json.dumps(described.plain()))
    assert Description.read(plain, Path("data.json")) == described
    del plain["alike"]
    assert Description.read(plain, Path("data.json")).alike is None


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {"shape": [3, 8], "classes": {}, "about": ""},
        {"shape": [3, 8, 0], "classes": {}, "about": ""},
        {"shape": [3, 8, True], "classes": {}, "about": ""},
        {"shape": [3, 8, 8], "classes": {"label": "cat"}, "about": ""},
        {"shape": [3, 8, 8], "classes": {}},
        {"shape": [3, 8, 8], "classes": {}, "about": "", "alike": ["glasses"]},
    ],
)
def test_other_descriptions_are_refused(stored, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"data\.json: not the description"):
        Description.read(stored, tmp_path / "data.json")
