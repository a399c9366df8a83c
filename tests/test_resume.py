"""Interrupted runs end where uninterrupted ones do, bit for bit."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from genlab.runs.checkpoints import checkpoints_of, read_checkpoint

SETTINGS = [
    "data=digits",
    "data.batch_size=32",
    "trainer=cpu",
    "total_images=16000",
    "samples.every_images=3000",
    "samples.count=4",
    "log.every_images=700",
    "log.validate_every_images=5000",
    "checkpoint.every_images=1000",
]


def assert_same_run(one: Path, other: Path) -> None:
    """Weights, EMA, optimizers, counters, metrics and grids are equal to the bit."""
    first, second = (read_checkpoint(checkpoints_of(p / "checkpoints")[0]) for p in (one, other))
    assert first["images_seen"] == second["images_seen"]
    assert_equal(first["state_dict"], second["state_dict"])
    assert_equal(first["optimizer_states"], second["optimizer_states"])
    assert (one / "metrics.csv").read_text() == (other / "metrics.csv").read_text()
    assert (one / "weights.safetensors").read_bytes() == (
        other / "weights.safetensors"
    ).read_bytes()
    grids = sorted(path.name for path in one.glob("samples/*"))
    assert grids == sorted(path.name for path in other.glob("samples/*"))
    for name in grids:
        assert (one / "samples" / name).read_bytes() == (other / "samples" / name).read_bytes()


def assert_equal(one: object, other: object) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        assert one == other


def start(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "genlab", "train", *arguments, f"hydra.run.dir={folder}"]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_for_checkpoint(folder: Path, images: int, process: subprocess.Popen) -> None:
    while process.poll() is None:
        saved = checkpoints_of(folder / "checkpoints")
        if saved and int(saved[0].stem.split("-")[1]) >= images:
            return
        time.sleep(0.01)
    pytest.fail(f"the run ended before it could be killed: {process.communicate()[0]}")


@pytest.mark.parametrize("model", ["dcgan", "vae_annealed"])
def test_killed_twice_and_resumed(tmp_path: Path, environment, model: str) -> None:
    whole = start(tmp_path / "whole", environment, f"model={model}", *SETTINGS)
    output, _ = whole.communicate()
    assert whole.returncode == 0, output
    folder = tmp_path / "killed"
    arguments = [f"model={model}", *SETTINGS]
    for images in (3000, 9000):
        process = start(folder, environment, *arguments)
        wait_for_checkpoint(folder, images, process)
        process.kill()
        process.communicate()
        arguments = [f"resume={folder}"]
    process = subprocess.run(
        [sys.executable, "-m", "genlab", "train", f"resume={folder}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert_same_run(tmp_path / "whole", folder)
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_stops(tmp_path: Path, environment, number: int, code: int) -> None:
    folder = tmp_path / "run"
    long = [word for word in SETTINGS if not word.startswith("total")]
    process = start(folder, environment, "model=vae_mlp", "total_images=100000000", *long)
    wait_for_checkpoint(folder, 2000, process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert f"resume={folder}" in output
    saved = read_checkpoint(checkpoints_of(folder / "checkpoints")[0])
    assert f"stopped after {saved['images_seen']:,} images" in output


@pytest.fixture
def finished(genlab, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    code, _, err = genlab(
        "train",
        "model=vae_mlp",
        "data=digits",
        "trainer=cpu",
        "total_images=500",
        "samples.count=4",
        f"hydra.run.dir={folder}",
    )
    assert code == 0, err
    return folder


def test_last_is_the_newest_run_and_can_be_prolonged(genlab, finished: Path) -> None:
    code, out, err = genlab("train", "resume=last", "total_images=1000")
    assert (code, err) == (0, "")
    assert "continuing after 512 images" in out
    assert json.loads((finished / "summary.json").read_text())["images_seen"] >= 1000


def test_a_finished_run_is_left_alone(genlab, finished: Path) -> None:
    before = (finished / "weights.safetensors").stat().st_mtime_ns
    code, out, _ = genlab("train", f"resume={finished}")
    assert code == 0
    assert "images; total_images=N trains it further" in out
    assert (finished / "weights.safetensors").stat().st_mtime_ns == before


def test_changes_are_refused_with_the_difference_unless_asked_for(genlab, finished: Path) -> None:
    change = ["total_images=1000", "model.optimizer.lr=0.002"]
    code, _, err = genlab("train", f"resume={finished}", *change)
    assert code == 4
    assert "model.optimizer.lr: 0.001 -> 0.002" in err
    assert "keep them, for example model.optimizer.lr=0.001" in err
    code, _, err = genlab("train", f"resume={finished}", *change, "allow_changes=true")
    assert code == 0, err
    state = read_checkpoint(checkpoints_of(finished / "checkpoints")[0])
    assert state["optimizer_states"][0]["param_groups"][0]["lr"] == 0.002
    code, _, err = genlab(
        "train",
        f"resume={finished}",
        "total_images=2000",
        "allow_changes=true",
        "model.autoencoder.bottleneck.codes=5",
    )
    assert code == 4
    assert "architecture" in err


def test_a_new_run_does_not_take_an_old_ones_folder(genlab, finished: Path) -> None:
    code, _, err = genlab("train", "model=vae_mlp", "data=digits", f"hydra.run.dir={finished}")
    assert code == 2
    assert f"resume={finished}" in err


def test_resuming_without_a_valid_checkpoint_is_refused(genlab, finished: Path) -> None:
    for checkpoint in checkpoints_of(finished / "checkpoints"):
        checkpoint.write_bytes(b"")
    code, _, err = genlab("train", f"resume={finished}", "total_images=2000")
    assert code == 4
    assert "no checkpoint that can be loaded" in err
    for file in (finished / "checkpoints").iterdir():
        file.unlink()
    assert genlab("train", f"resume={finished}", "total_images=2000")[0] == 4


def test_a_run_that_saved_nothing_starts_from_the_beginning(genlab, finished: Path) -> None:
    weights = (finished / "weights.safetensors").read_bytes()
    for file in [*(finished / "checkpoints").iterdir(), *finished.glob("*.*")]:
        if file.name not in ("config.yaml", "overrides.yaml") and file.is_file():
            file.unlink()  # as if it had been killed before its first checkpoint
    code, out, err = genlab("train", f"resume={finished}")
    assert (code, err) == (0, "")
    assert f"nothing was saved in {finished} yet: starting from the beginning" in out
    assert (finished / "weights.safetensors").read_bytes() == weights


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_before_training(tmp_path: Path, environment, number: int, code: int) -> None:
    folder = tmp_path / "run"
    process = start(folder, environment, "model=vae_mlp", *SETTINGS)
    while not folder.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert output.endswith("genlab: stopped before training began; nothing was saved\n")


def test_an_obstacle_is_named(genlab, finished: Path) -> None:
    weights = finished / "weights.safetensors"
    assert weights.stat().st_mode & 0o777 == (finished / "config.yaml").stat().st_mode & 0o777
    weights.unlink()
    weights.mkdir()
    code, _, err = genlab("train", f"resume={finished}", "total_images=1000")
    assert code == 5
    assert f"{weights.name} cannot be written" in err
    assert not list(finished.rglob("*.part"))


def test_a_weights_file_is_not_a_run(genlab, finished: Path) -> None:
    code, _, err = genlab("train", f"resume={finished / 'weights.safetensors'}")
    assert code == 4
    assert "is a file" in err


def test_two_runs_in_one_folder_are_refused(genlab, finished: Path) -> None:
    import fcntl

    with (finished / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, err = genlab("train", f"resume={finished}", "total_images=2000")
    assert code == 5
    assert "another process is training" in err


def test_losses_that_are_not_finite_end_the_run_with_the_last_good_checkpoint(
    genlab, tmp_path: Path
) -> None:
    folder = tmp_path / "diverged"
    code, _, err = genlab(
        "train",
        "model=vae_mlp",
        "data=digits",
        "trainer=cpu",
        "total_images=100000",
        "model.optimizer.lr=100",
        "model.rate=100",
        "checkpoint.every_images=200",
        "samples.count=4",
        f"hydra.run.dir={folder}",
    )
    assert code == 6
    assert "no longer finite" in err
    for checkpoint in checkpoints_of(folder / "checkpoints"):
        weights = read_checkpoint(checkpoint)["state_dict"].values()
        assert all(w.isfinite().all() for w in weights)


def test_a_folder_in_which_nothing_was_trained_can_be_used_again(genlab, tmp_path: Path) -> None:
    arguments = ["model=vae_mlp", "data=digits", "trainer=cpu", "total_images=64"]
    arguments += ["samples.count=4", f"hydra.run.dir={tmp_path / 'run'}"]
    assert genlab("train", *arguments, "data.batch_size=5000")[0] == 3
    assert genlab("train", *arguments, "data.batch_size=32")[0] == 0
