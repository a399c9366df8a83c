"""Images in Parquet files as Hugging Face writes them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from difficult import PER_CLASS, difficult
from PIL import Image

from genlab.data import Folder, ImageSet, Parquet, prepare
from genlab.data.containers.parquets import Parquets
from genlab.errors import ConfigError, DataError, DataMissing


def of(path: Path, kind: type = Folder, skip: bool = False, **others: Any) -> Any:
    settings = {"resolution": 8, "channels": 3, "max_pixels": 10**6} | others
    return kind(str(path), strict=False, skip_unreadable=skip, **settings)


def png(shade: int, size: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), (shade, shade, shade)).save(file, "PNG")
    return file.getvalue()


def table(images: list[Any], features: dict[str, Any] | None = None, **columns: Any) -> pa.Table:
    made = pa.table({"image": images, **columns})
    if features:
        told = json.dumps({"info": {"features": features}})
        made = made.replace_schema_metadata({"huggingface": told})
    return made


def structs(shades: list[int], path: str | None = "{}.png") -> list[dict[str, Any]]:
    return [{"bytes": png(n), "path": path and path.format(n)} for n in shades]


def shades(images: ImageSet) -> list[int]:
    return images.images[:, 0, 0, 0].tolist()


def named(images: ImageSet, label: str = "label") -> list[str]:
    return [images.classes[label][number] for number in images.labels[label]]


def test_difficult_files_are_what_their_folder_is(tmp_path: Path) -> None:
    folder = difficult(tmp_path / "images")
    wanted = prepare(of(folder, skip=True), 1)
    names = list(of(folder).names)
    rows = [{"bytes": (folder / name).read_bytes(), "path": name} for name in names]
    pq.write_table(table(rows), tmp_path / "a.parquet", row_group_size=7)
    images = prepare(of(tmp_path / "a.parquet", skip=True), 1)
    assert len(images) == 2 * PER_CLASS
    assert np.array_equal(images.images, wanted.images)
    assert images.classes == wanted.classes
    assert np.array_equal(images.labels["label"], wanted.labels["label"])
    with pytest.raises(DataError, match=r"a\.parquet: row \d+ \(cats/.*\) cannot be used"):
        prepare(of(tmp_path / "a.parquet"), 1)


@pytest.mark.parametrize("kind", [Folder, Parquet])
def test_a_folder_of_parts_with_named_classes(tmp_path: Path, kind: type) -> None:
    """-1 stands for no class, as in the tests of Hugging Face's sets."""
    features = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": ["cat", "dog", "eel"]},
    }
    root = tmp_path / "data"
    root.mkdir()
    for file, told, kinds in (
        ("train-00000-of-00002", [10, 20], [2, 0]),
        ("train-00001-of-00002", [30], [1]),
        ("test-00000-of-00001", [40], [-1]),
    ):
        made = table(structs(told, None), features, label=kinds)
        pq.write_table(made, root / f"{file}.parquet")
    images = prepare(of(root, kind), 1)
    assert shades(images) == [10, 20, 30, 40]
    assert images.classes == {"label": ["cat", "dog", "eel", "unknown"]}
    assert named(images) == ["eel", "cat", "dog", "unknown"]
    assert images.test_start == 3
    assert images.about == "4 images of 3 Parquet files in data"


def test_columns_are_labels(tmp_path: Path) -> None:
    columns = {
        "style": pa.array(["oil", None, "ink"]).dictionary_encode(),
        "signed": [True, False, None],
        "code": [1.0, 2.0, None],
        "vector": [[1], [2], [3]],
    }
    pq.write_table(table(structs([1, 2, 3]), **columns), tmp_path / "a.parquet")
    images = prepare(of(tmp_path / "a.parquet"), 1)
    assert images.classes == {
        "style": ["ink", "oil", "unknown"],
        "signed": ["not signed", "signed", "unknown"],
    }
    assert named(images, "style") == ["oil", "unknown", "ink"]
    assert named(images, "signed") == ["signed", "not signed", "unknown"]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_binary_columns(tmp_path: Path, kind: pa.DataType) -> None:
    made = pa.table({"mask": pa.array([png(9)], kind), "jpg": pa.array([png(5)], kind)})
    pq.write_table(made, tmp_path / "a.parquet")
    assert shades(prepare(of(tmp_path / "a.parquet"), 1)) == [5]
    assert shades(prepare(of(tmp_path / "a.parquet", Parquet, column="mask"), 1)) == [9]
    with pytest.raises(ConfigError, match=r"data\.column=msk .*did you mean mask"):
        prepare(of(tmp_path / "a.parquet", Parquet, column="msk"), 1)


def test_rows_come_in_any_order_with_few_groups_in_memory(tmp_path: Path) -> None:
    for number in range(2):
        made = table(structs(list(range(10 * number, 10 * number + 10))))
        pq.write_table(made, tmp_path / f"{number}.parquet", row_group_size=3)
    made = of(tmp_path, Parquet)
    order = np.random.default_rng(0).permutation(20).tolist()
    assert [int(made.prepared(at).pixels[0, 0, 0]) for at in order] == order
    container = Parquets(tmp_path)
    assert container.whereabouts(14) == f"{tmp_path}/1.parquet: row 4 (14.png)"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (pa.table({"a": [1]}), r"has no column of images .* among a"),
        (table([{"bytes": b"x", "path": "a.png"}]), r"row 0 \(a\.png\) cannot be used: not an"),
        (table([{"bytes": b"x" * 6000, "path": None}]), r"row 0 \(a-00000000\) cannot be used"),
        (table(structs([]) or pa.array([], pa.binary())), "has no rows"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, made: pa.Table, message: str) -> None:
    pq.write_table(made, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        prepare(of(tmp_path / "a.parquet", max_pixels=1000), 1)


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    pq.write_table(table(structs([1] * 50)), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for damaged in (content[:-20], content[:100] + bytes(200) + content[300:], b"PAR1"):
        (tmp_path / "a.parquet").write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.parquet"):
            prepare(of(tmp_path / "a.parquet"), 1)
    (tmp_path / "empty").mkdir()
    for path, message in ((tmp_path / "b", "does not exist"), (tmp_path / "empty", "holds no Par")):
        with pytest.raises(DataMissing, match=message):
            prepare(of(path, Parquet), 1)


def test_rows_without_bytes_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gaps = [{"bytes": content, "path": "a.png"} for content in (None, b"")]
    pq.write_table(table([*gaps, *structs([3])]), tmp_path / "a.parquet")
    assert shades(prepare(of(tmp_path / "a.parquet"), 1)) == [3]
    assert "skipped 2 unreadable images: a.png, a.png" in caplog.text
