import json
import shutil
from pathlib import Path

from genlab.commands.runs import scores
from genlab.runs.run_folder import RunFolder
from genlab.runs.state import state_of


def copied(run: Path, place: Path) -> Path:
    shutil.copytree(run, place)
    return place


def test_runs_are_listed_with_their_state_length_size_and_scores(genlab, small_run, tmp_path):
    finished = copied(small_run, tmp_path / "runs" / "finished")
    stopped = copied(small_run, tmp_path / "sweeps" / "s" / "0")
    (stopped / "summary.json").unlink()
    started = copied(small_run, tmp_path / "runs" / "started")
    for file in ("weights.safetensors", "summary.json"):
        (started / file).unlink()
    shutil.rmtree(started / "checkpoints")
    damaged = copied(small_run, tmp_path / "runs" / "damaged")
    (damaged / "config.yaml").write_text("- a list")
    code, out, err = genlab("runs")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines()}
    mse = json.loads((finished / "evaluation.json").read_text())["metrics"]["mse"]
    assert "finished  320 " in " ".join(lines["runs/finished"].split(" "))
    assert f"mse {mse:.4g}" in lines["runs/finished"]
    assert " stopped " in lines["sweeps/s/0"]
    assert " started " in lines["runs/started"]
    assert "damaged" in lines["runs/damaged"]
    assert "config.yaml" in lines["runs/damaged"]
    assert len(genlab("runs", "match=start")[1].splitlines()) == 2
    assert len(genlab("runs", "folder=sweeps")[1].splitlines()) == 2


def test_a_run_that_a_process_holds_is_training(small_run: Path, tmp_path: Path) -> None:
    run = copied(small_run, tmp_path / "run")
    assert state_of(RunFolder(run)).name == "finished"
    holder = RunFolder(run)
    holder.lock()
    assert state_of(RunFolder(run)).name == "training"
    holder.release()
    size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    assert state_of(RunFolder(run)).size >= size


def test_a_run_that_is_to_be_longer_is_not_finished(small_run: Path, tmp_path: Path) -> None:
    run = copied(small_run, tmp_path / "run")
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("total_images: 320", "total_images: 999"))
    state = state_of(RunFolder(run))
    assert (state.name, state.images_seen, state.total_images) == ("stopped", 320, 999)


def test_a_folder_without_runs_is_told(genlab) -> None:
    code, _, err = genlab("runs")
    assert code == 4
    assert "no runs here; start one with genlab train" in err


def test_the_scores_that_say_most_are_shown() -> None:
    assert scores({"train/loss": 1.0, "mse": 0.5, "frechet_distance": 12.3456}) == (
        "frechet_distance 12.35, mse 0.5"
    )
    assert scores({}) == ""
