from pathlib import Path

import pytest

from genlab.commands.outputs import destination
from genlab.commands.paths import check_place
from genlab.errors import ConfigError, ResourceError
from genlab.runs.folder import RunFolder


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
        with pytest.raises(ResourceError, match="taken is a file, no folder; choose another"):
            check_place(str(tmp_path / out))
