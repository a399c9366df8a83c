"""A folder of difficult files, its archives, its Parquet and labels with gaps: each trains."""

import csv
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from difficult import CLASSES, UNREADABLE, difficult, tarred, zipped

from genlab.data.listing import say

SIZES = ("scale=laptop", "data.resolution=16", "trainer=cpu", "data.batch_size=16")
LENGTH = ("total_images=2000", "samples.count=4", "samples.every_images=2000")
Genlab = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sources")
    folder = difficult(root / "images")
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix != ".txt")
    names = [file.relative_to(folder).as_posix() for file in files]
    rows = [
        {"bytes": file.read_bytes(), "path": name} for file, name in zip(files, names, strict=True)
    ]
    pq.write_table(pa.table({"image": rows}), root / "a.parquet", row_group_size=10)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "animal", "indoors", "style"])
        for number, name in enumerate(names):
            gap = number % 7
            indoors = "" if gap == 1 else ("yes" if number % 3 else "no")
            style = "" if gap == 2 else ("ink", "oil", "tempera")[number % 3]
            if gap != 3:
                table.writerow([name, name.partition("/")[0], indoors, style])
    return {
        "folder": folder,
        "zip": zipped(folder, root / "a.zip"),
        "tar": tarred(folder, root / "a.tar"),
        "parquet": root / "a.parquet",
        "labels": root / "labels.csv",
    }


@pytest.mark.parametrize("model", ["vae", "dcgan", "cgan"])
@pytest.mark.parametrize("source", ["folder", "zip", "tar", "parquet"])
def test_each_trains(genlab: Genlab, places: dict[str, Path], source: str, model: str) -> None:
    data = ["data=folder", f"data.path={places[source]}", "data.skip_unreadable=true"]
    run = f"hydra.run.dir={source}-{model}"
    code, out, err = genlab("train", f"model={model}", *data, *SIZES, *LENGTH, run)
    assert code == 0, err
    count = 2 * len(UNREADABLE)
    assert f"skipped {count} unreadable images" in err + out
    assert f"label, of 2 classes ({', '.join(CLASSES)})" in err + out


@pytest.mark.parametrize("source", ["folder", "zip", "parquet"])
def test_labels_with_gaps_are_conditions(
    genlab: Genlab, places: dict[str, Path], source: str
) -> None:
    say.cache_clear()  # a line is said once in a process
    data = [f"data.path={places[source]}", f"data.labels={places['labels']}"]
    page = "archive" if source == "zip" else source
    words = [f"data={page}", *data, "data.skip_unreadable=true", *SIZES, *LENGTH]
    code, out, err = genlab("train", "model=cgan", *words, "hydra.run.dir=run")
    assert code == 0, err
    assert "without a row" in err + out
    code, out, err = genlab(
        "sample", "run=run", "labels={style:oil,indoors:not indoors}", "count=2", "out=a.png"
    )
    assert code == 0, err
    code, out, err = genlab("sample", "run=run", "labels={style:watercolour}", "count=2")
    assert code == 2
    assert "ink, oil, tempera, unknown" in err
