"""Files of others: read with a bound, or refused in one line that names them."""

import os
from pathlib import Path

import pytest

from genlab.errors import CheckpointError, DataError
from genlab.io import reading


def put(folder: Path, content: str | bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_plain_containers_are_read(tmp_path: Path) -> None:
    assert reading.read_json(put(tmp_path, '{"a": [1, 2.5]}'), DataError) == {"a": [1, 2.5]}
    text = "a: 1.0e-05\nb: [x, null]\n"
    assert reading.read_yaml(put(tmp_path, text), DataError) == {"a": 1e-5, "b": ["x", None]}
    assert reading.read_csv(put(tmp_path, "a,b\n1,2\n"), DataError) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (reading.read_json, "{"),
        (reading.read_json, "[" * 100_000),
        (reading.read_json, b"\xff\xfe"),
        (reading.read_yaml, "a: [1"),
        (reading.read_yaml, "a: !!python/object/apply:os.system [true]"),
        (reading.read_yaml, "a: &x [1, 1]\nb: [*x, *x]"),
        (reading.read_yaml, "[" * 5_000),
        (reading.read_yaml, "a: {b: '${oc.env:HOME}'}"),
        (reading.read_csv, "a,b\n1\n"),
        (reading.read_csv, "a,b\n1,2,3\n"),
    ],
)
def test_what_cannot_be_read_is_one_line(read, content, tmp_path: Path) -> None:
    path = put(tmp_path, content)
    with pytest.raises(CheckpointError) as refused:
        read(path, CheckpointError)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 300


def test_large_files_are_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more than"):
        reading.read_bytes(put(tmp_path, b"x" * 11), DataError, limit=10)


def test_links_and_pipes_are_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(put(tmp_path, "{}"))
    os.mkfifo(tmp_path / "pipe")
    for path in (link, tmp_path / "pipe", tmp_path):
        with pytest.raises(DataError, match=f"{path}"):
            reading.read_json(path, DataError)


@pytest.mark.parametrize(
    ("read", "content", "told"),
    [
        (reading.read_yaml, "a: 1" + ":20" * 400 + ".5", "not readable"),
        (reading.read_yaml, "a: 1" + ":20" * 300_000, "10,000 characters"),
        (reading.read_yaml, "a: [" + "[]," * 300_000 + "]", "20,000 values"),
        (reading.read_csv, "," * 10_000_000 + "\n", "2,000 columns"),
        (reading.read_csv, '"\n",' * 1_000_000 + "\n", "not readable"),
        (reading.read_csv, "a," * 1_999 + "b\n", "two columns"),
    ],
)
def test_work_is_bounded(read, content: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=told):
        read(put(tmp_path, content), CheckpointError)


def test_cells_are_counted_while_a_table_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CELLS", 100)
    assert len(reading.read_csv(put(tmp_path, "a,b\n" + "1,2\n" * 50), DataError)) == 50
    with pytest.raises(DataError, match="100 cells"):
        reading.read_csv(put(tmp_path, "a,b\n" + "1,2\n" * 51), DataError)
