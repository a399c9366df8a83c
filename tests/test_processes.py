"""Several processes over gloo: real ones, started by genlab or by torchrun."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genlab.runs.checkpoints import checkpoints_of, newest_valid

DDP = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "data=digits"]
SMALL = ["data.batch_size=32", "samples.count=4"]


def trained(environment: dict[str, str], folder: Path, data: str = "digits") -> Path:
    """A tiny GAN's run."""
    words = ["model=gan", f"data={data}", "trainer=cpu", *SMALL, "total_images=1000"]
    process = genlab_process(environment, *words, f"hydra.run.dir={folder}")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return folder


def genlab_process(environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "genlab", "train", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def leftovers(folder: Path) -> list[str]:
    """Command lines of living processes that name the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line and int(entry.name) != os.getpid():
            found.append(line)
    return found


def test_a_sweep_over_two_processes_each(tmp_path: Path, environment) -> None:
    sweep = tmp_path / "sweep"
    process = genlab_process(
        environment,
        "-m",
        *DDP,
        *SMALL,
        "model=vae,dcgan",
        "total_images=2000",
        f"hydra.sweep.dir={sweep}",
    )
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    for job in ("0", "1"):
        summary = json.loads((sweep / job / "summary.json").read_text())
        assert summary["images_seen"] == 2048  # batches of 32 on two ranks
        assert summary["processes"] == 2
        assert len(set(summary["weights_sha256"])) == 1
        assert len(summary["weights_sha256"]) == 2
    with (sweep / "sweep.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done", "done"]
    assert not leftovers(sweep)


def test_two_processes_score_samples_together(tmp_path: Path, environment) -> None:
    run = tmp_path / "run"
    process = genlab_process(
        {**environment, "GENLAB_CACHE": str(tmp_path / "cache")},
        *DDP[:3],
        "data=gaussian_grid",
        "data.count=2000",
        *SMALL,
        "model=gan",
        "total_images=2000",
        "evaluate.every_images=1000",
        "evaluate.count=101",
        f"hydra.run.dir={run}",
    )
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    summary = json.loads((run / "summary.json").read_text())
    assert 0 <= summary["metrics"]["evaluation/high_quality"] <= 1
    assert summary["best"]["value"] <= summary["metrics"]["evaluation/frechet_distance"]
    assert (run / "best.safetensors").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_stopping_the_parent_leaves_nothing_running(
    tmp_path: Path, environment, number: int
) -> None:
    folder = tmp_path / "run"
    process = genlab_process(
        environment,
        *DDP,
        *SMALL,
        "model=vae_mlp",
        "total_images=100000000",
        "checkpoint.every_images=2000",
        f"hydra.run.dir={folder}",
    )
    while not checkpoints_of(folder / "checkpoints"):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == (143 if number == signal.SIGTERM else -9), output
    deadline = time.monotonic() + 60
    while leftovers(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not leftovers(folder)


@pytest.mark.parametrize(
    ("number", "whom", "code"),
    [
        (signal.SIGTERM, "child", 143),
        (signal.SIGINT, "all", 130),  # as a terminal or a scheduler does
        (signal.SIGKILL, "child", 7),
    ],
)
def test_a_signal_to_any_process_ends_all(
    tmp_path: Path, environment, number: int, whom: str, code: int
) -> None:
    folder = tmp_path / "run"
    words = [*DDP, *SMALL, "model=vae_mlp", "total_images=100000000", "checkpoint.every_images=640"]
    process = genlab_process(environment, *words, f"hydra.run.dir={folder}")
    while not checkpoints_of(folder / "checkpoints"):
        assert process.poll() is None
        time.sleep(0.05)
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ranks = [int(child) for child in found]
    assert len(ranks) == 2
    for each in ranks[1:] if whom == "child" else [*ranks, process.pid, *ranks]:
        os.kill(each, number)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == code, output
    if code != 7:
        saved = newest_valid(folder / "checkpoints").state["images_seen"]
        assert f"stopped after {saved:,} images, all saved" in output
    assert f"resume={folder}" in output
    assert not leftovers(folder)


def test_stopped_while_the_processes_start(tmp_path: Path, environment) -> None:
    folder = tmp_path / "run"
    words = ["model=vae_mlp", f"hydra.run.dir={folder}"]
    process = genlab_process(environment, *DDP, *SMALL, *words)
    while not (folder / "processes.log").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 143, output
    assert "nothing was saved" in output


def test_started_by_torchrun(tmp_path: Path, environment) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "genlab", "train", *DDP, *SMALL]
    command += ["model=vae_mlp", "total_images=2000", f"hydra.run.dir={folder}"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((folder / "summary.json").read_text())
    assert len(set(summary["weights_sha256"])) == 1
    assert summary["processes"] == 2


@pytest.mark.parametrize(
    ("started_by", "data"), [("genlab", "gaussian_grid"), ("torchrun", "digits")]
)
def test_processes_that_score_a_run_together_find_what_one_finds(
    tmp_path: Path, environment, started_by: str, data: str
) -> None:
    """Of digits in the features of a classifier, which is trained by one of the processes."""
    environment = {**environment, "GENLAB_CACHE": str(tmp_path / "cache")}
    run = trained(environment, tmp_path / "run", data)
    words = ["evaluate", f"run={run}", "count=101"]
    words += ["features=classifier"] if data == "digits" else []
    alone = [sys.executable, "-m", "genlab", *words]
    together = [*alone, "devices=2"]
    if started_by == "torchrun":
        several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        together = [sys.executable, *several, "-m", "genlab", *words]
    found = []
    for command, name in ((together, "two.json"), (alone, "one.json")):
        done = subprocess.run(
            [*command, f"out={tmp_path / name}"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("frechet_distance") == 1
        found.append(json.loads((tmp_path / name).read_text()))
    assert found[0]["stamp"] == found[1]["stamp"]
    assert found[0]["metrics"] == pytest.approx(found[1]["metrics"], rel=1e-3)


def test_what_fails_in_several_processes_is_said_by_the_first(tmp_path: Path, environment) -> None:
    run = trained(environment, tmp_path / "run")
    command = [sys.executable, "-m", "genlab", "evaluate", f"run={run}", "devices=2"]
    done = subprocess.run(
        [*command, "features=classifer"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("genlab: features=classifer is not known: did you mean")
    assert done.stderr.count("\n") == 1
