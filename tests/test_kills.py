"""A run that is killed anywhere and resumed ends with the files of one that never was."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from test_resume import assert_same_run

from genlab.callbacks import evaluation, grids, lifecycle, summary
from genlab.callbacks.growing_table import GrowingTable
from genlab.runs import checkpoints
from genlab.training import checkpoint_io

# Scored on its own points, so that there are best weights without a feature network.
SETTINGS = [
    "model=gan",
    "data=gaussian_grid",
    "data.count=600",
    "data.batch_size=16",
    "trainer=cpu",
    "total_images=480",
    "samples.every_images=160",
    "samples.count=4",
    "log.every_images=96",
    "checkpoint.every_images=128",
    "evaluate.every_images=112",
    "evaluate.count=50",
]


def in_a_fork(act: Callable[[], object], environment: dict[str, str]) -> int:
    """Run `act` in a copy of this process, which has all modules; its wait status."""
    child = os.fork()
    if not child:
        os.environ.update(environment)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            act()
        finally:
            os._exit(99)
    return os.waitpid(child, 0)[1]


def train(*words: str) -> None:
    from genlab.cli import main

    sys.argv = ["genlab", "train", *words]
    main.main()


def killing(owner: object, name: str, number: int, after: bool) -> None:
    """Have the call of that number of a function kill the process, before or after its work."""
    whole, calls = getattr(owner, name), [0]

    def deadly(*arguments, **named):
        calls[0] += 1
        answer = whole(*arguments, **named) if after or calls[0] != number else None
        if calls[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, deadly)


def files(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not path.name.startswith("events.out.tfevents."))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    in_a_fork(lambda: train(*SETTINGS, f"hydra.run.dir={folder}"), {})
    assert (folder / "summary.json").exists()
    return folder


@pytest.mark.parametrize(
    ("owner", "name", "number", "after"),
    [
        (checkpoint_io, "write_text", 2, True),  # a hash without its checkpoint
        (checkpoint_io, "write_atomically", 3, True),
        (lifecycle, "prune", 3, True),
        (lifecycle, "export_weights", 4, False),  # the last checkpoint, but not its weights
        (lifecycle, "export_weights", 4, True),
        (evaluation, "write_weights", 1, True),  # best weights of a moment that is trained again
        (GrowingTable, "write", 4, True),
        (GrowingTable, "write", -1, True),
        (grids, "save_grid", 2, True),
        (grids, "save_gif", 1, False),
        (summary, "write_text", 1, False),
    ],
)
def test_a_killed_run_ends_like_the_whole_one(
    genlab, tmp_path: Path, whole: Path, owner: object, name: str, number: int, after: bool
) -> None:
    run = tmp_path / "run"

    def killed() -> None:
        killing(owner, name, len(rows_written(whole)) if number < 0 else number, after)
        train(*SETTINGS, f"hydra.run.dir={run}")

    assert in_a_fork(killed, {}) == signal.SIGKILL
    code, _, err = genlab("train", f"resume={run}")
    assert (code, err) == (0, "")
    assert_same_run(whole, run)
    best = "best.safetensors"
    assert (run / best).read_bytes() == (whole / best).read_bytes()
    assert files(run) == files(whole)


def rows_written(run: Path) -> list[str]:
    """The lines of metrics.csv below its header: fewer than the times it was written."""
    return (run / "metrics.csv").read_text().splitlines()[1:]


def test_weights_of_another_moment_than_a_finished_runs_are_exported_again(
    genlab, tmp_path: Path, whole: Path
) -> None:
    """As versions before left them behind that were killed between the two."""
    import shutil

    from genlab.runs.weights import weights_images_seen

    run = tmp_path / "run"
    shutil.copytree(whole, run)
    shutil.copy(run / "best.safetensors", run / "weights.safetensors")
    if weights_images_seen(run / "weights.safetensors") == 480:
        (run / "weights.safetensors").unlink()
    assert genlab("train", f"resume={run}")[0] == 0
    assert_same_run(whole, run)


def test_a_damaged_checkpoint_costs_no_whole_one(genlab, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert genlab("train", *SETTINGS, "checkpoint.keep=1", f"hydra.run.dir={run}")[0] == 0
    assert genlab("train", f"resume={run}", "total_images=640", "checkpoint.keep=2")[0] == 0
    newest = checkpoints.checkpoints_of(run / "checkpoints")[0]
    newest.write_bytes(b"")
    words = [f"resume={run}", "total_images=900", "checkpoint.keep=1", "checkpoint.every_images=50"]
    assert genlab("train", *words)[0] == 0
    assert [p.name for p in (run / "checkpoints").iterdir() if p.suffix != ".sha256"].count(
        newest.with_suffix(".damaged").name
    ) == 1
    assert checkpoints.newest_valid(run / "checkpoints").state["images_seen"] == 912
