"""Files of labels, and which image a row means."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genlab.data.labels.files import read
from genlab.data.labels.matching import matched
from genlab.errors import ConfigError, DataError

ROWS = [("cats/1.png", "oil", "3"), ("dögs/2.png", "", "4")]
NAMES = ("cats/1.png", "cats/2.png", "dogs/1.png", "a/b/3.jpg", "a/b/4.tar.png", "5.png")


def said(path: Path) -> tuple[list[str], dict[str, list[Any]]]:
    rows = read(path)
    return rows.paths, {column.name: list(column.values) for column in rows.columns}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [("path", "style", "digit"), *ROWS]
    text = end.join(delimiter.join(line) for line in lines)
    for start, last in (("", end), ("\ufeff", ""), ("", end * 2)):
        (tmp_path / "a.csv").write_bytes((start + text + last).encode())
        paths, columns = said(tmp_path / "a.csv")
        assert paths == ["cats/1.png", "dögs/2.png"]
        assert columns == {"style": ["oil", ""], "digit": ["3", "4"]}


def test_quoted_cells_may_hold_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('file_name,text\na.png,"a, ""b""\nc"\n')
    assert said(tmp_path / "a.csv") == (["a.png"], {"text": ['a, "b"\nc']})


@pytest.mark.parametrize("head", ["style,Filename", "style,image_id", "style,Path"])
def test_the_column_of_paths_is_known_by_its_name(tmp_path: Path, head: str) -> None:
    (tmp_path / "a.csv").write_text(f"{head}\noil,1.png\n")
    assert said(tmp_path / "a.csv") == (["1.png"], {"style": ["oil"]})
    (tmp_path / "a.csv").write_text("picture of,style\n1.png,oil\n")  # else it is the first one
    assert said(tmp_path / "a.csv") == (["1.png"], {"style": ["oil"]})


def test_json_lines(tmp_path: Path) -> None:
    lines = [{"file_name": "1.png", "style": "oil"}, {"signed": True, "file_name": "2.png"}]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    (tmp_path / "metadata.jsonl").write_text(text)
    paths, columns = said(tmp_path / "metadata.jsonl")
    assert paths == ["1.png", "2.png"]
    assert columns == {"style": ["oil", None], "signed": [None, True]}


@pytest.mark.parametrize(
    "content",
    [
        {"labels": [["1.png", 3], ["2.png", 4]]},
        [{"path": "1.png", "label": 3}, {"path": "2.png", "label": 4}],
        {"1.png": 3, "2.png": 4},
        {"1.png": {"label": 3}, "2.png": {"label": 4, "box": [1, 2]}},
    ],
)
def test_json(tmp_path: Path, content: Any) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    paths, columns = said(tmp_path / "dataset.json")
    assert paths == ["1.png", "2.png"]
    assert columns["label"] == [3, 4]


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({"style": ["oil", None], "name": ["1.png", "2.png"], "box": [[1], [2]]})
    told = {"info": {"features": {"style": {"_type": "Value"}}}}
    table = table.replace_schema_metadata({"huggingface": json.dumps(told)})
    pq.write_table(table, tmp_path / "a.parquet")
    assert said(tmp_path / "a.parquet") == (["1.png", "2.png"], {"style": ["oil", None]})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "path,a\n1.png\n", "line 2 has 1 values, not 2"),
        ("a.csv", "path,a,a\n1.png,1,2\n", "different names"),
        ("a.csv", 'path,a\n1.png,"b\n', ""),
        ("a.csv", "path\n1.png\n", "no column beside"),
        ("a.csv", "", "no columns"),
        ("a.jsonl", "[1]\n", "a row is no mapping"),
        ("a.jsonl", "{\n", ""),
        ("a.json", "3", "neither a mapping nor a list"),
        ("a.json", '{"labels": [["a.png"]]}', "no pairs"),
        ("a.json", "[" * 100_000, ""),
        ("a.parquet", "PAR1", ""),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=rf"data\.labels=.*{name} cannot be read: .*{message}"):
        read(tmp_path / name)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nowhere.csv")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="not a regular file"):
        read(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match=r"data\.labels=.*a\.xlsx must be a file of \.csv"):
        read(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("row", "position"),
    [
        ("cats/1.png", 0),
        ("./cats//1.png", 0),
        ("cats\\1.png", 0),
        ("/home/me/photos/dogs/1.png", 2),
        ("3.jpg", 3),
        ("b/3.jpg", 3),
        ("b/3", 3),
        ("cats/2", 1),
        ("4.tar", 4),
        ("elsewhere/5.png", 5),
        ("5", 5),
        ("1.png", None),  # two images end so
        ("dogs/2.png", None),
        ("x/3.jpg", None),  # of another folder
        ("", None),
        ("/", None),
    ],
)
def test_rows_and_images(row: str, position: int | None) -> None:
    found = matched([row], NAMES)
    assert [number for number, of in enumerate(found.rows) if of == 0] == (
        [] if position is None else [position]
    )
    assert found.lost == ([] if position is not None else [row])


def test_what_does_not_fit_is_counted_and_named() -> None:
    found = matched(["5.png", "9.png", "5", "cats/1.png"], NAMES)
    assert found.rows == [3, None, None, None, None, 0]  # the first row for an image counts
    assert found.told(NAMES) == (
        "2 of 6 images have labels; 4 images without a row (cats/2.png, dogs/1.png, a/b/3.jpg, "
        "a/b/4.tar.png); 1 row without an image (9.png); 1 row for an image that has one (5)"
    )
