import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genlab.errors import CheckpointError
from genlab.jobs import multirun
from genlab.runs.run_folder import RunFolder

SMALL = ["data=digits", "trainer=cpu", "total_images=300", "samples.count=4", "data.batch_size=32"]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_one_folder_per_job_a_table_and_failures_that_do_not_stop_the_others(
    genlab, tmp_path: Path
) -> None:
    sweep = tmp_path / "sweep"
    jobs = ["model=vae_mlp", "data.batch_size=32,4000", "seed=1,2", f"hydra.sweep.dir={sweep}"]
    code, out, _ = genlab("train", "-m", *SMALL[:-1], *jobs)
    assert code == 3
    table = rows(sweep)
    assert [row["status"] for row in table] == ["done", "done", "failed", "failed"]
    settings = [(row["data.batch_size"], row["seed"]) for row in table]
    assert settings == [("32", "1"), ("32", "2"), ("4000", "1"), ("4000", "2")]
    assert "model" not in table[0]  # as all jobs have the same
    assert out.count("device: ") == out.count("data: ") == 1
    assert float(table[0]["validation/mse"]) > 0
    assert "data.batch_size=4000" in table[2]["error"]
    assert "sweep.csv" in out
    assert json.loads((sweep / "1" / "summary.json").read_text())["seed"] == 2


def test_the_same_sweep_again_skips_finished_jobs_and_does_the_others(
    genlab, tmp_path: Path
) -> None:
    arguments = ["-m", *SMALL, "model=vae_mlp,dcgan", f"hydra.sweep.dir={tmp_path / 'sweep'}"]
    assert genlab("train", *arguments)[0] == 0
    first = tmp_path / "sweep" / "0" / "weights.safetensors"
    second = tmp_path / "sweep" / "1"
    written = first.stat().st_mtime_ns
    weights = (second / "weights.safetensors").read_bytes()
    (second / "summary.json").unlink()  # as if it had been killed
    code, out, _ = genlab("train", *arguments)
    assert code == 0
    assert first.stat().st_mtime_ns == written
    assert "is finished: it has seen " in out
    assert "continuing after" in out
    assert (second / "weights.safetensors").read_bytes() == weights
    assert [row["status"] for row in rows(tmp_path / "sweep")] == ["done", "done"]


def test_another_sweep_in_the_same_folder_is_refused(genlab, tmp_path: Path) -> None:
    folder = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    assert genlab("train", "-m", *SMALL, "model=vae_mlp", "seed=1", folder)[0] == 0
    code, out, _ = genlab("train", "-m", *SMALL, "model=vae_mlp", "seed=2", folder)
    assert code == 4
    assert "seed: 1 -> 2" in out


def test_resume_and_multirun_do_not_go_together(genlab) -> None:
    code, _, err = genlab("train", "-m", "resume=last", "seed=1,2")
    assert code == 2
    assert "hydra.sweep.dir=PATH" in err


@pytest.mark.parametrize("verb", ["sample"])
def test_other_verbs_sweep_too(genlab, tmp_path: Path, verb: str) -> None:
    run = tmp_path / "run"
    assert genlab("train", *SMALL, "model=vae_mlp", f"hydra.run.dir={run}")[0] == 0
    assert genlab(verb, "-m", f"run={run}", "seed=1,2", "count=4")[0] == 0
    assert len(list((run / "generated").iterdir())) == 2


def test_a_job_that_another_process_is_at_is_left_to_it(genlab, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    (sweep / "0").mkdir(parents=True)
    other = RunFolder(sweep / "0")
    other.lock()
    words = [*SMALL, "model=vae_mlp", "seed=1,2", f"hydra.sweep.dir={sweep}"]
    code, out, _ = genlab("train", "-m", *words)
    assert code == 0
    assert "job 0 is left to the process that trains it" in out
    assert [row["status"] for row in rows(sweep)] == ["running", "done"]
    other.release()
    assert genlab("train", "-m", *words)[0] == 0
    assert [row["status"] for row in rows(sweep)] == ["done", "done"]


def test_jobs_that_joblib_runs_have_a_table_and_an_exit_code(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    sweep = tmp_path / "sweep"
    words = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *SMALL[:-1], "model=vae_mlp"]
    words += ["data.batch_size=32,4000", f"hydra.sweep.dir={sweep}"]
    command = [sys.executable, "-m", "genlab", "train", "-m", *words]
    assert subprocess.run(command, env=environment, cwd=tmp_path).returncode == 3
    assert [row["status"] for row in rows(sweep)] == ["done", "failed"]


@pytest.mark.parametrize("name", [".sweep.lock", "sweep.csv", "study.journal", "0/job.json"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_strangers_sweep_leads_nowhere(tmp_path: Path, name: str, kind: str) -> None:
    file = tmp_path / "sweep" / name
    file.parent.mkdir(parents=True)
    (tmp_path / "sweep" / ".genlab").touch()
    if kind == "link":
        file.symlink_to(tmp_path / "outside")
    else:
        os.mkfifo(file)
    with pytest.raises(CheckpointError, match=file.name):
        multirun.begin(tmp_path / "sweep")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep"]
    assert not multirun.under_way()


def test_links_that_submitit_makes_in_its_own_folder_are_no_strangers(tmp_path: Path) -> None:
    own = tmp_path / "sweep" / ".submitit" / "7_0"
    own.mkdir(parents=True)
    (tmp_path / "sweep" / ".genlab").touch()
    (own / "7_submission.sh").touch()
    (own / "link").symlink_to("7_submission.sh")
    multirun.begin(tmp_path / "sweep")
    multirun.start_over()
    (own / "out").symlink_to(tmp_path / "outside")
    with pytest.raises(CheckpointError, match="out is a link"):
        multirun.begin(tmp_path / "sweep")
