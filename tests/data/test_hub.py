"""Sets of Hugging Face's hub, with a stand-in for the package datasets, which needs the network."""

import io
import json
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

from genlab.config.paths import _paths
from genlab.data import Folder, Parquet, prepare
from genlab.errors import ConfigError, DataError, DataMissing


class Rows:
    """What is used of datasets.Dataset."""

    def __init__(self, table: pa.Table, arrow: bool = False) -> None:
        self.table, self.arrow = table, arrow
        self.num_rows = table.num_rows
        self.features = SimpleNamespace(arrow_schema=table.schema)

    def with_format(self, name: str) -> "Rows":
        assert name == "arrow"
        return Rows(self.table, arrow=True)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            assert self.arrow
            return self.table.slice(key, 1)
        return self.table.column(key).to_pylist()


def rows(shades: list[int], labels: list[int], path: Path | None = None) -> Rows:
    images = []
    for shade in shades:
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (shade, 0, 0)).save(file, "PNG")
        content, place = file.getvalue(), None
        if path is not None:  # as sets of image files are
            place = str(path / f"{shade}.png")
            Path(place).write_bytes(content)
        images.append({"bytes": None if place else content, "path": place})
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    table = pa.table({"image": pa.array(images, kind), "label": labels})
    told = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    return Rows(
        table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": told}})})
    )


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Rows]]:
    """The sets of the hub by name and revision."""
    sets: dict[str, dict[str, Rows]] = {}

    def load_dataset(name: str, revision: str | None) -> dict[str, Rows]:
        if name not in sets:
            raise ConnectionError(f"Couldn't reach\n{name}")
        return sets[f"{name}@{revision}" if revision else name]

    module = ModuleType("datasets")
    module.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    return sets


def of(path: str, kind: type = Folder) -> Any:
    return kind(path, 8, 3, False, False, 10**6)


@pytest.mark.parametrize("kind", [Folder, Parquet])
def test_splits_are_parts(hub: dict[str, dict[str, Rows]], tmp_path: Path, kind: type) -> None:
    hub["me/pets"] = {
        "test": rows([9], [0]),
        "train": rows([1, 2], [1, 0], tmp_path),
        "unsupervised": rows([7], [0]),
    }
    images = prepare(of("hub:me/pets", kind), 1)
    assert images.images[:, 0, 0, 0].tolist() == [1, 2, 9]
    assert images.classes == {"label": ["cat", "dog"]}
    assert images.labels["label"].tolist() == [1, 0, 0]
    assert images.test_start == 2
    assert images.about == "3 images of the hub's me/pets"


def test_one_split_and_a_revision(hub: dict[str, dict[str, Rows]]) -> None:
    hub["pets"] = {"all": rows([5], [0])}
    hub["pets@v2"] = {"all": rows([6], [0])}
    assert prepare(of("hub:pets"), 1).images[0, 0, 0, 0] == 5
    made = pickle.loads(pickle.dumps(of("hub:pets@v2")))
    assert prepare(made, 1).images[0, 0, 0, 0] == 6


def test_what_cannot_be_fetched(hub: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataMissing, match=r"hub:me/x cannot be fetched \(Couldn't reach"):
        prepare(of("hub:me/x"), 1)
    for name in ("hub:/etc", "hub:../x", "hub:a/b/c", "hub:", "hub:https://x.y"):
        with pytest.raises(ConfigError, match="must be hub:OWNER/NAME"):
            prepare(of(name), 1)
    hub["a"] = {"all": Rows(pa.table({"x": [1]}))}
    with pytest.raises(DataError, match="has no column of images"):
        prepare(of("hub:a"), 1)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=r"needs the package datasets: pip install .*\[hub\]"):
        prepare(of("hub:a"), 1)


def test_names_of_the_hub_are_no_paths() -> None:
    node = {"path": "hub:me/pets", "labelling": {"path": "a.csv"}}
    assert list(_paths(node)) == ["a.csv"]
