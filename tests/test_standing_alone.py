"""A run folder stands alone: moved, read-only, in another home, its images and all caches gone."""

import csv
import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MODELS = {
    "vae": ["model=vae_mlp", "model.autoencoder.encoder.widths=[16]"],
    "gan": ["model=gan", "players=dense"],
    "pix2pix": ["model=pix2pix", "model.translator.network.width=4", "data.channels=3"],
    "srgan": [
        "model=srgan",
        "model.translator.network.width=4",
        "model.translator.network.blocks=1",
    ],
    "context_encoder": ["model=context_encoder", "model.translator.network.width=4"],
}
LENGTHS = {"vae": 1600}  # enough for draws of both classes
SIZES = {"pix2pix": 16, "srgan": 16, "context_encoder": 16}
CLASSIFIER_IMAGES = 320  # that the judge of edits is trained on
EDIT = ["direction=label:cat", "codes=60", "check=30", "seeds=[3,5]", "strength=1"]
_NO_PRIVILEGE = 0x20080522  # version 3 of capget and capset
_OVERRIDE = 1 << 1  # CAP_DAC_OVERRIDE: root writes wherever it wants to


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def command(*words: str) -> None:
    from genlab import console
    from genlab.cli import main

    console.console.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["genlab", *words])
        with pytest.raises(SystemExit) as ended:
            main.command()
        assert not ended.value.code
    console.console.cache_clear()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def gone(place: Path) -> Path:
    """The folder that all runs were trained on, which is there no longer."""
    return place / "home" / "photos"


@pytest.fixture(scope="module")
def runs(place: Path, gone: Path) -> dict[str, Path]:
    """Runs of every kind by model, moved to another folder once the images were gone."""
    draw = np.random.default_rng(0).integers
    for number in range(40):
        file = gone / ("cat" if number % 2 else "dog") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = draw(0, 40, (8, 8, 3), np.uint8) + np.uint8(200 * (number % 2))
        Image.fromarray(pixels).save(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENLAB_CACHE", str(place / "home" / "cache"))
        for model, words in MODELS.items():
            side = f"data.resolution={SIZES.get(model, 8)}"
            data = ["data=folder", f"data.path={gone}", side, "data.batch_size=8", "trainer=cpu"]
            length = [
                f"total_images={LENGTHS.get(model, 32)}",
                "samples.count=2",
                "data.validation=8",
                "data.test=8",
            ]
            run = f"hydra.run.dir={place / 'home' / 'runs' / model}"
            command("train", *words, *data, *length, run)
        vae = f"run={place / 'home' / 'runs' / 'vae'}"
        command("score", vae, "split=validation", f"out={place / 'usual'}")
        patch.setattr("genlab.evaluation.classifier_run.CLASSIFIER_IMAGES", CLASSIFIER_IMAGES)
        patch.setattr("genlab.editing.optimise.STEPS", 10)
        command("edit", vae, *EDIT, f"out={place / 'edited'}")
        command("score", vae, "by=likelihood", "samples=2", f"out={place / 'usual'}")
    shutil.move(place / "home" / "cache" / "features", place / "cache" / "features")
    shutil.move(place / "home" / "runs", place / "elsewhere")
    shutil.rmtree(place / "home")
    return {model: place / "elsewhere" / model for model in MODELS}


@pytest.fixture(autouse=True)
def _another_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "GENLAB_CACHE", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture(autouse=True)
def _pictures(tmp_path: Path) -> None:
    """Two pictures of the user, and a mask."""
    (tmp_path / "mine").mkdir()
    draw = np.random.default_rng(1).integers
    for name in ("one", "two"):
        pixels = draw(0, 255, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "mine" / f"{name}.png")
    holes = np.zeros((20, 20), np.uint8)
    holes[5:12, 5:12] = 255
    Image.fromarray(holes).save(tmp_path / "mask.png")


@pytest.fixture
def read_only(runs: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """The runs, in which nothing can be written: not by root either."""
    with _held_to_modes(), _modes(next(iter(runs.values())).parent):
        yield runs


@contextmanager
def _modes(folder: Path) -> Iterator[None]:
    places = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in places}
    for path in places:
        path.chmod(modes[path] & ~0o222)
    try:
        yield
    finally:
        for path in places:
            path.chmod(modes[path])


@contextmanager
def _held_to_modes() -> Iterator[None]:
    """Let modes of files hold for this thread, also of root."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_NO_PRIVILEGE, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; the same of further ones
    assert libc.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~_OVERRIDE
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0


FAST = ["steps=2", "draws=4"]
ALONE: list[tuple[str, list[str]]] = [
    ("vae", ["sample", "count=4"]),
    ("gan", ["sample", "seeds=0-3", "format=png"]),
    ("vae", ["interpolate", "count=2", "steps=3"]),
    ("gan", ["interpolate", "count=2", "steps=3"]),
    ("vae", ["project", "image=mine"]),
    ("gan", ["project", "image=mine/one.png", *FAST]),
    ("gan", ["edit", "direction=pca", "codes=20", "count=2"]),
    ("vae", ["edit", "1 - 2 + 3"]),
    ("vae", ["reconstruct", "image=mine"]),
    ("vae", ["reconstruct", "image=mine/one.png"]),
    ("vae", ["encode", "image=mine", "format=both"]),
    ("vae", ["score", "image=mine"]),
    ("vae", ["score", "image=mine", "by=likelihood", "samples=2"]),
    ("gan", ["inpaint", "image=mine", "mask=mask.png", *FAST]),
    ("context_encoder", ["inpaint", "image=mine", "mask=mask.png"]),
    ("srgan", ["upscale", "image=mine"]),
    ("pix2pix", ["translate", "image=mine", "derive=true"]),
]
NEEDY: list[tuple[str, list[str], str]] = [
    ("vae", ["evaluate"], ""),
    ("gan", ["evaluate"], ""),
    ("vae", ["reconstruct"], "image=PATH"),
    ("vae", ["encode"], "image=PATH"),
    ("vae", ["score"], "image=PATH"),
    ("vae", ["visualise"], ""),
    ("vae", ["interpolate", "between=images"], "between=random"),
    ("vae", ["project", "index=0"], "image=PATH"),
    ("gan", ["edit", "direction=label:cat", "codes=20"], "direction=pca"),
]
Genlab = Callable[..., tuple[int, str, str]]


def _called(value: object) -> str | None:
    return "_".join(map(str, value[:2])) if isinstance(value, list) else None


@pytest.mark.parametrize(("model", "words"), ALONE, ids=_called)
def test_a_run_is_enough(
    genlab: Genlab, read_only, tmp_path: Path, model: str, words: list[str]
) -> None:
    run = f"run={read_only[model]}"
    assert os.environ["HOME"] == str(tmp_path / "HOME")
    code, _, err = genlab(words[0], run, "out=made", *words[1:])
    assert (code, err) == (0, "")
    assert any(path.is_file() for path in (tmp_path / "made").rglob("*"))
    code, _, err = genlab(words[0], run, *words[1:])
    assert code == 5
    assert err == f"genlab: {run} is read-only: name another place for results, out=PATH\n"


@pytest.fixture
def _judge(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with the judges of edits, and nothing else."""
    monkeypatch.setenv("GENLAB_CACHE", str(place / "cache"))
    monkeypatch.setattr("genlab.evaluation.classifier_run.CLASSIFIER_IMAGES", CLASSIFIER_IMAGES)
    monkeypatch.setattr("genlab.editing.optimise.STEPS", 10)


@pytest.mark.usefixtures("_judge")
def test_a_judge_that_is_cached_is_found_without_the_images(
    genlab: Genlab, read_only, place: Path
) -> None:
    run = f"run={read_only['vae']}"
    code, _, err = genlab("edit", run, *EDIT, "out=made")
    assert (code, err) == (0, "")
    before, after = (
        json.loads((folder / "edit_label_cat.json").read_text())
        for folder in (place / "edited", Path("made"))
    )
    assert after == before
    code, out, err = genlab("project", run, "image=mine", "method=optimise", *FAST, "out=made")
    assert (code, err) == (0, "")
    assert "pixels alone" not in out


@pytest.mark.parametrize("by", ["reconstruction", "likelihood"])
def test_image_grid_are_scored_beside_images_that_are_gone(
    genlab: Genlab, read_only, place: Path, by: str
) -> None:
    words = ["image=mine", f"by={by}", "samples=2", "out=made"]
    code, _, err = genlab("score", f"run={read_only['vae']}", *words)
    assert (code, err) == (0, "")
    kept = json.loads((read_only["vae"] / "normal_scores.json").read_text())[by]["scores"]
    assert len(kept) == 8
    if by == "reconstruction":
        before = table(place / "usual" / "reconstruction_validation.csv")
        assert sorted(kept) == pytest.approx(
            sorted(float(row["score"]) for row in before), rel=1e-5
        )
    for row in table(Path("made", f"{by}_images.csv")):
        share = np.mean(np.array(kept) < float(row["score"]))
        assert float(row["share_of_normal_below"]) == pytest.approx(share, abs=1e-4)


def test_kept_scores_are_those_of_their_weights(genlab: Genlab, runs, tmp_path: Path) -> None:
    run = shutil.copytree(runs["vae"], tmp_path / "run")
    file = run / "normal_scores.json"
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "weights_sha256": "0"}))
    code, out, err = genlab("score", f"run={run}", "image=mine")
    assert (code, err) == (0, "")
    assert "no scores of normal images to compare with" in out
    assert {
        row["share_of_normal_below"] for row in table(run / "scores/reconstruction_images.csv")
    } == {""}
    file.write_text("{}")
    code, _, err = genlab("score", f"run={run}", "image=mine", "overwrite=true")
    assert (code, err.count("\n")) == (4, 1)
    assert "normal_scores.json" in err


@pytest.mark.parametrize(("model", "words", "instead"), NEEDY, ids=_called)
def test_what_needs_the_images_names_their_place(
    genlab: Genlab, runs, gone: Path, model: str, words: list[str], instead: str
) -> None:
    code, _, err = genlab(words[0], f"run={runs[model]}", *words[1:])
    assert code == 3
    assert err.count("\n") == 1
    assert f"data.path={gone} does not exist" in err
    assert instead in err
    assert len(err) - len(f"{gone}{runs[model]}") < 250


def test_older_runs_need_no_images_but_for_names(
    genlab: Genlab, runs, gone: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(runs["gan"], tmp_path / "old")
    (old / "data.json").unlink()
    for words in (["sample", "count=2"], ["interpolate", "count=1"], ["edit", "direction=pca"]):
        code, _, err = genlab(words[0], f"run={old}", *words[1:])
        assert (code, err) == (0, "")
    code, _, err = genlab("edit", f"run={old}", "direction=label:cat")
    assert code == 3
    assert f"data.path={gone} does not exist" in err
    assert "no data.json" in err
    assert err.count("\n") == 1
