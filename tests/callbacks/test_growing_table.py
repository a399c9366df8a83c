"""A table in a file: always what writing all of it anew would give, and whole after a kill."""

import os
import random
from pathlib import Path

import pytest

from genlab.callbacks.growing_table import GrowingTable
from genlab.errors import CheckpointError
from genlab.io.files import csv_text
from genlab.io.reading import read_csv

NAMES = ["images_seen", "train/loss", "validation/loss", "evaluation/recall", 'odd, "name"']


def whole(rows: list[dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text([names, *([row.get(name, "") for name in names] for row in rows)])


@pytest.mark.parametrize("seed", range(5))
def test_the_file_is_always_as_if_written_anew(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    path = tmp_path / "metrics.csv"
    table = GrowingTable(path)
    rows: list[dict[str, str]] = []
    for step in range(80):
        if not rows or draw.random() < 0.6:
            rows.append({"images_seen": str(step)})
        for name in draw.sample(NAMES[1:], draw.randint(0, 3) if step > 3 else 0):
            rows[-1][name] = repr(draw.uniform(-1, 1))
        if draw.random() < 0.05:  # another hand
            path.write_text("nothing\n")
        table.write(rows)
        assert path.read_text() == whole(rows)


def test_a_row_is_added_without_writing_the_others_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    table = GrowingTable(path)
    rows = [{"images_seen": str(i), "train/loss": "0.5"} for i in range(100)]
    table.write(rows)
    before = path.stat().st_ino
    rows.append({"images_seen": "100", "train/loss": "-0.25"})
    table.write(rows)
    assert path.stat().st_ino == before  # the same file, not one renamed over it
    rows[-1]["validation/loss"] = "1.0"
    table.write(rows)
    assert path.stat().st_ino != before
    assert path.read_text() == whole(rows)


def test_a_full_disk_leaves_the_rows_there_were(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "metrics.csv"
    table = GrowingTable(path)
    rows = [{"a": "1", "b": "1"}, {"a": "2"}]
    table.write(rows)
    text = path.read_text()
    write, calls = os.pwrite, []

    def short(descriptor: int, content: bytes, place: int) -> int:
        calls.append(content)
        return write(descriptor, content[:2] if len(calls) == 1 else content, place)

    def full(*arguments: object, **settings: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", short)
    monkeypatch.setattr("genlab.callbacks.growing_table.write_text", full)
    rows[-1]["b"] = "12345"
    with pytest.raises(OSError, match="No space"):
        table.write(rows)
    assert path.read_text() == text


def test_a_torn_last_line_is_dropped_on_reading(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("images_seen,train/loss\n1,0.5\n2,0.2")
    assert read_csv(path, CheckpointError, torn=True) == [{"images_seen": "1", "train/loss": "0.5"}]
    path.write_text("images_seen,tra")  # which no run leaves behind: it is written as a whole
    with pytest.raises(CheckpointError, match="last line is cut"):
        read_csv(path, CheckpointError, torn=True)
