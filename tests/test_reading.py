"""Files of others: read with a bound, or refused in one line that names them."""

import os
from pathlib import Path

import pytest

from genlab import reading
from genlab.errors import CheckpointError, DataError


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
