from pathlib import Path

from genlab.runs import RunFolder, unused


def test_two_runs_of_one_moment_have_a_folder_each(tmp_path: Path) -> None:
    taken = [unused(tmp_path / "run") for _ in range(3)]
    assert [path.name for path in taken] == ["run", "run_2", "run_3"]


def test_a_folder_is_left_by_a_run_that_never_started_and_by_no_other(tmp_path: Path) -> None:
    never, started = unused(tmp_path / "run"), unused(tmp_path / "run")
    (started / "config.yaml").touch()
    for path in (never, started):
        RunFolder(path).remove_if_empty()
    assert not never.exists()
    assert (started / ".lock").exists()
    assert unused(tmp_path / "run") == never
