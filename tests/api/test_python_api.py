"""genlab from Python: what the command line does, without its process, its files and its Hydra."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from PIL import Image

import genlab
from genlab.editing.latent_editor import LatentEditor
from genlab.errors import CheckpointError, ConfigError, DataError
from genlab.latent import LatentDirection

SMALL = ["trainer=cpu", "samples.count=4", "data.batch_size=16", "total_images=64"]
BLOCK = """
import sys
import genlab
assert not {{"torch", "hydra", "numpy"}} & set(sys.modules), "import genlab is light"
run = genlab.load("{run}")
images = run.sample(16, seed=0, truncation=0.7)
assert images.shape == (16, *run.shape) and str(images.dtype) == "torch.uint8"
genlab.grid(images).save("grid.png")
a, b = run.latents(2), run.latents(2, seed=3)
assert run.interpolate(a, b, steps=4).shape == (2, 4, *run.shape)
editor = run.editor(codes=60, check=30)
assert editor.apply(b, editor.direction("pca"), 1.5).shape == (2, *run.shape)
heavy = {{"pytorch_lightning", "torchmetrics", "genlab.cli.main", "genlab.jobs"}}
assert not heavy & set(sys.modules), "a run needs neither a trainer nor a command line"
import genlab.evaluation.classifier_run as features
features.CLASSIFIER_IMAGES = 2000
codes = run.invert(images[:2], steps=2)
assert run.decode(codes).shape == (2, *run.shape)
assert len(run.encode(images[:2])) == 2
assert run.reconstruct(images[:3]).shape == (3, *run.shape)
"""


def in_a_new_process(code: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def vae(trained: Callable[..., Path]) -> genlab.Run:
    return genlab.load(trained("model=vae", "data=digits"))


@pytest.fixture(scope="module")
def dcgan(trained: Callable[..., Path]) -> genlab.Run:
    return genlab.load(trained("model=dcgan", "data=digits"))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, 1, 8, 8), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("model", ["vae", "dcgan"])
def test_a_run_is_used_from_another_folder(
    tmp_path: Path, environment, trained: Callable[..., Path], model: str
) -> None:
    in_a_new_process(
        BLOCK.format(run=trained(f"model={model}", "data=digits")), tmp_path, environment
    )
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.width == grid.height  # 4 by 4 digits


def test_a_run_is_used_after_its_images_are_gone(
    tmp_path: Path, environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0).integers
    for number in range(30):
        place = tmp_path / "photos" / ("cat" if number % 2 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(0, 255, (8, 8, 3), np.uint8)).save(place / f"{number}.png")
    words = [*SMALL, f"data.path={tmp_path / 'photos'}", "data.resolution=8"]
    run = genlab.train("dcgan", data="folder", overrides=words, folder="runs/y")
    assert run.path == tmp_path / "runs" / "y"
    assert run.shape == (3, 8, 8)
    assert run.classes == {"label": ["cat", "dog"]}
    run.evaluate(count=4, features="none")
    shutil.rmtree(tmp_path / "photos")
    block = BLOCK[: BLOCK.index("import genlab.evaluation")]  # what needs no classifier of labels
    in_a_new_process(block.format(run=run.path), tmp_path, environment)
    with pytest.raises(DataError, match="photos"):
        run.evaluate(count=4, features="none")


def test_python_draws_what_the_command_draws(genlab, dcgan, tmp_path: Path) -> None:
    code, _, err = genlab(
        "sample", f"run={dcgan.path}", "count=5", "seed=7", "format=npz", f"out={tmp_path / 'a'}"
    )
    assert (code, err) == (0, "")
    (file,) = tmp_path.rglob("*.npz")
    assert np.array_equal(np.load(file)["images"], dcgan.sample(5, seed=7).permute(0, 2, 3, 1))
    latents = dcgan.latents(5, seed=7)
    assert torch.equal(dcgan.decode(latents), dcgan.sample(5, seed=7))


def test_python_trains_what_the_command_trains(genlab, tmp_path: Path) -> None:
    words = [*SMALL, "data=digits", "model=dcgan"]
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path / 'a'}")
    assert code == 0, err
    from genlab import train

    run = train("dcgan", data="digits", overrides=SMALL, folder=tmp_path / "b")
    one, other = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "ab")
    assert one == other
    configs = [(tmp_path / name / "config.yaml").read_text() for name in "ab"]
    assert configs[0] == configs[1]
    with pytest.raises(ConfigError, match="contains a run already"):
        train("dcgan", data="digits", overrides=SMALL, folder=tmp_path / "b")
    longer = [*SMALL[:-1], "total_images=96"]
    train("dcgan", data="digits", overrides=longer, folder=tmp_path / "b", resume=True)
    assert json.loads((run.path / "summary.json").read_text())["images_seen"] == 96


def test_new_runs_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [genlab.train("vae_mlp", data="digits", overrides=SMALL) for _ in range(2)]
    assert runs[0].path != runs[1].path
    with pytest.raises(ConfigError, match="total_images"):
        genlab.train("vae_mlp", data="digits", overrides=["total_images=-1"])
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_codes_of_an_autoencoder(vae, images: torch.Tensor) -> None:
    codes = vae.encode(images)
    assert codes.shape[0] == 4
    assert torch.equal(vae.decode(codes), vae.reconstruct(images))
    ways = vae.interpolate(codes[:1], codes[1:2], steps=3)
    assert torch.equal(ways[0, 0], vae.decode(codes[:1])[0])
    assert torch.equal(ways[0, 2], vae.decode(codes[1:2])[0])


def test_images_come_in_every_usual_form(vae, images: torch.Tensor, tmp_path: Path) -> None:
    codes = vae.encode(images)
    arrays = images[:, 0].numpy()
    for number, array in enumerate(arrays):
        Image.fromarray(array).save(tmp_path / f"{number}.png")
    same = [
        arrays,
        arrays[..., None],
        [Image.fromarray(array) for array in arrays],
        [tmp_path / f"{number}.png" for number in range(4)],
        tmp_path,
    ]
    assert all(torch.equal(vae.encode(each), codes) for each in same)
    assert torch.allclose(vae.encode(images[0]), codes[:1], atol=1e-5)


@pytest.mark.parametrize(
    "given",
    [
        torch.zeros(2, 1, 8, 8),
        torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
        np.zeros((2, 9, 8), np.uint8),
        [],
        [1, 2],
        3.5,
        "nowhere.png",
    ],
)
def test_what_is_no_image_is_refused(vae, given: object) -> None:
    with pytest.raises(DataError):
        vae.encode(given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.sample(0), "count=0 must be a whole number from 1"),
        (lambda run: run.sample(4, truncaton=1), "did you mean truncation"),
        (lambda run: run.sample(4, out="x"), "out: no such setting"),
        (lambda run: run.sample(4, labels={"digit": 3}), "label"),
        (
            lambda run: run.interpolate(torch.zeros(1, 2), torch.zeros(2, 2)),
            "must have the same shape",
        ),
        (lambda run: run.interpolate(torch.zeros(1, 2), torch.zeros(1, 2), path="x"), "linear"),
        (lambda run: run.evaluate(split="dev"), "split=dev"),
        (lambda run: run.editor().direction("glasses"), "nor a label"),
        (lambda run: run.editor().direction("pca", 10**6), "component=1000000"),
        (lambda run: genlab.compose("dcgam"), "did you mean dcgan"),
        (lambda run: genlab.compose(overrides=["model.nope=3"]), "model.nope"),
        (lambda run: genlab.compose(overrides=["total_images=-3"]), "total_images"),
    ],
)
def test_settings_are_checked_as_on_the_command_line(
    dcgan, call: Callable[[genlab.Run], object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        call(dcgan)


def test_no_run_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises((ConfigError, CheckpointError), match="nothing"):
        genlab.load(tmp_path / "nothing")


def test_several_threads_read_one_run(dcgan, vae, images: torch.Tensor) -> None:
    alone = [dcgan.sample(8, seed=seed) for seed in range(8)]
    codes = vae.encode(images)
    with ThreadPoolExecutor(4) as pool:
        assert all(map(torch.equal, alone, pool.map(lambda s: dcgan.sample(8, seed=s), range(8))))
        assert all(torch.equal(codes, each) for each in pool.map(vae.encode, [images] * 8))


def test_a_thread_trains_and_goes_on(tmp_path: Path) -> None:
    """Python lets the main thread alone take signals: another one trains without them."""
    found: list[object] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    handlers = [signal.getsignal(number) for number in numbers]

    def work() -> None:
        try:
            for words in (SMALL, [*SMALL, "total_images=96"]):
                run = genlab.train("vae_mlp", "digits", words, tmp_path / "run", resume=True)
            found.append(run)
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert isinstance(found[0], genlab.Run), found
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["images_seen"] == 96
    assert [signal.getsignal(number) for number in numbers] == handlers


def test_hydra_is_left_as_it_was() -> None:
    before = GlobalHydra.instance().hydra
    config = genlab.compose("vae", data="digits", overrides=["seed=3"])
    assert (config["seed"], config["data"]["resolution"]) == (3, 8)
    assert GlobalHydra.instance().hydra is before
    json.dumps(config)  # plain values alone


def test_pages_are_listed() -> None:
    assert genlab.models()["dcgan"]
    assert genlab.datasets()["digits"]
    assert "load" in dir(genlab)
    with pytest.raises(AttributeError, match="lod"):
        genlab.lod  # noqa: B018


def test_grids_have_the_columns_that_are_asked_for(images: torch.Tensor) -> None:
    wide, high = genlab.grid(images, columns=4).size
    assert 3 < wide / high < 5
    wide, high = genlab.grid(images, columns=1).size
    assert 3 < high / wide < 5


def test_a_class_names_its_direction_where_one_label_has_it(dcgan, monkeypatch) -> None:
    found = LatentDirection.constant(torch.zeros(3))
    asked = []
    monkeypatch.setattr(LatentEditor, "direction_to", lambda _, it: asked.append(it) or found)
    editor = dcgan.editor()
    assert editor.direction("7").name == editor.direction("label:7").name == "label:7"
    assert [attribute.classes for attribute in asked] == [(7,), (7,)]
