import shutil
from pathlib import Path

import pytest

from genlab.commands.outputs import destination
from genlab.commands.user_paths import check_place
from genlab.errors import ConfigError, ResourceError
from genlab.runs.run_folder import RunFolder


@pytest.mark.parametrize(
    ("out", "suffix", "expected"),
    [
        (None, ".png", "run/generated/name.png"),
        ("grid.png", ".png", "grid.png"),
        ("pictures", ".png", "pictures/name.png"),
        ("version.2", ".png", "version.2/name.png"),
        ("pictures", "", "pictures"),
        ("version.2", "", "version.2"),
    ],
)
def test_out_names_a_file_or_a_folder(out: str | None, suffix: str, expected: str) -> None:
    assert destination(out, RunFolder(Path("run")), "name", suffix) == Path(expected)


@pytest.mark.parametrize(
    ("out", "suffix"), [("a.npz", ".png"), ("a.jpg", ".png"), ("a.png", ".npz"), ("a.png", "")]
)
def test_a_file_of_another_kind_is_refused(out: str, suffix: str) -> None:
    with pytest.raises(ConfigError, match=f"out={out} does not fit"):
        destination(out, RunFolder(Path("run")), "name", suffix)


def test_a_folder_that_is_there_may_be_called_anything(tmp_path: Path) -> None:
    folder = tmp_path / "pictures.png"
    folder.mkdir()
    found = destination(str(folder), RunFolder(Path("run")), "name", ".npz")
    assert found == folder / "name.npz"


@pytest.mark.parametrize("out", ["new/folder", "new/file.png", ".", "there.png"])
def test_places_that_can_be_written(tmp_path: Path, monkeypatch, out: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.png").touch()
    check_place(out)
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    for out in ("taken", "taken/below", "taken/scores.json"):
        with pytest.raises(ResourceError, match="taken is a file, not a folder; choose another"):
            check_place(str(tmp_path / out))


def test_results_of_a_run_alone_are_made_again_in_its_folder_and_replaced_nowhere_else(
    genlab, small_run: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(small_run, tmp_path / "run")
    for words in (
        ["sample", "count=2"],
        ["sample", "count=2", "format=png"],
        ["reconstruct", "count=2"],
        ["encode", "count=2"],
        ["interpolate", "count=1", "steps=2"],
        ["visualise", "count=10", "methods=[pca]", "tensorboard=false"],
        ["edit", "direction=pca", "count=1", "codes=10", "seeds=0-1"],
        ["project", "index=0"],
    ):
        once = [*words, f"run={run}"]
        assert genlab(*once)[0] == genlab(*once)[0] == 0, words
        elsewhere = [*once, f"out={tmp_path / words[0]}"]
        if "format=png" in words:
            elsewhere[-1] += "_files"
        assert genlab(*elsewhere)[0] == 0
        code, _, err = genlab(*elsewhere)
        assert code == 2, words
        assert "already: add overwrite=true or choose another out=" in err
        assert genlab(*elsewhere, "overwrite=true")[0] == 0


def test_the_old_name_of_a_setting_leads_to_the_new_one(genlab) -> None:
    code, _, err = genlab("reconstruct", "run=x", "input=noisy")
    assert code == 2
    assert "input: this setting is named image= here" in err
