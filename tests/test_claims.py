"""Folders of others are left as they are; folders of runs that never started go again."""

import logging
import os
from pathlib import Path

import pytest

from genlab.console import log_to
from genlab.errors import ConfigError
from genlab.io.files import write_atomically
from genlab.runs import claims
from genlab.runs.run_folder import RunFolder

SMALL = ["model=vae_mlp", "data=digits", "trainer=cpu", "total_images=64", "samples.count=4"]


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Somebody's folder, with names that a run uses too."""
    home = tmp_path / "home"
    for name in ("config.yaml", "download.mkv.part", ".lock", "deep/a.1234abcd.part", "sweep.csv"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    return home


def test_a_run_in_somebodys_folder_is_refused(genlab, home: Path, monkeypatch) -> None:
    before = content(home)
    assert genlab("train", *SMALL, f"hydra.run.dir={home}")[0] == 2
    monkeypatch.chdir(home)
    code, _, err = genlab("train", *SMALL, "hydra.run.dir=.")
    assert code == 2
    code, _, err = genlab("train", "-m", *SMALL, "seed=1,2", f"hydra.sweep.dir={home}")
    assert code == 2
    assert "contains files that are not a run's" in err
    assert content(home) == before


@pytest.mark.parametrize("name", [".lock", "config.yaml", "weights.safetensors", ".genlab.old"])
def test_a_single_file_of_somebody_is_enough(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="not a run's"):
        RunFolder(tmp_path).claim()
    RunFolder(tmp_path).remove_if_empty()
    assert content(tmp_path) == {name: b"mine"}


def test_a_marker_tells_a_folder_of_ours_whatever_else_is_there(tmp_path: Path) -> None:
    RunFolder(tmp_path).claim()
    (tmp_path / "notes.txt").write_text("mine")
    RunFolder(tmp_path).claim()


def test_a_marker_half_written_is_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".genlab.8830c39e.part").touch()
    assert claims.is_unused(tmp_path / "run")
    claims.claim(tmp_path / "run", "hydra.run.dir")
    assert claims.is_claimed(tmp_path / "run")


def test_a_run_from_before_the_marker_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    (tmp_path / "checkpoints").mkdir()
    RunFolder(tmp_path).claim()
    assert claims.is_claimed(tmp_path)


def test_only_our_own_parts_in_our_own_places_are_removed(tmp_path: Path) -> None:
    ours = ["weights.safetensors.0123abcd.part", "checkpoints/x.ckpt.ffffffff.part"]
    theirs = ["film.part", "checkpoints/x.part", "deep/er/x.0123abcd.part"]
    for name in (*ours, *theirs):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    claims.remove_parts(tmp_path)
    assert sorted(content(tmp_path)) == sorted(theirs)


@pytest.mark.parametrize("place", ["a/b/run", "here"])
def test_folders_made_for_nothing_go_and_no_others(genlab, tmp_path: Path, place: str) -> None:
    (tmp_path / "here").mkdir()
    before = sorted(tmp_path.rglob("*"))
    words = [*SMALL, "data.batch_size=5000", f"hydra.run.dir={place}"]
    assert genlab("train", *words)[0] == 3
    assert genlab("train", *words[:-1])[0] == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_is_full_is_named(genlab, tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no full device here")
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "file", lambda file: os.write(full, b"x"))
    os.close(full)
    assert caught.value.filename == str(tmp_path / "file")


def test_a_log_that_cannot_be_written_is_said_once(capsys) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no full device here")
    with log_to(Path("/dev/full")):
        for _ in range(3):
            logging.getLogger("genlab").warning("hello")
    err = capsys.readouterr().err
    assert err == "genlab: /dev/full: cannot be written ([Errno 28] No space left on device)\n"
