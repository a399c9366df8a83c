from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from genlab.data import Digits


def test_the_table_holds_what_the_arrays_hold(genlab, runs, tmp_path: Path) -> None:
    code, out, err = genlab("encode", f"run={runs['vae']}", "format=both", f"out={tmp_path}")
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"wrote {tmp_path / 'codes_test'}.{s}" for s in ("parquet", "npz")]
    arrays = np.load(tmp_path / "codes_test.npz", allow_pickle=False)
    table = parquet.read_table(tmp_path / "codes_test.parquet")
    count, size = arrays["codes"].shape
    assert arrays["codes"].dtype == np.float32
    assert table.column_names == ["index", *(f"code_{i}" for i in range(size)), "label"]
    columns = np.stack([table[f"code_{i}"].to_numpy() for i in range(size)], 1)
    np.testing.assert_array_equal(columns, arrays["codes"])
    np.testing.assert_array_equal(table["index"].to_numpy(), arrays["indices"])
    names = arrays["classes/label"][arrays["labels"]]
    assert table["label"].to_pylist() == names.tolist()
    assert str(table.schema.field("label").type).startswith("dictionary<values=string")
    np.testing.assert_array_equal(arrays["mean"], arrays["codes"])
    assert arrays["log_variance"].shape == (count, size)


def test_labels_belong_to_the_images_at_the_indices(genlab, runs, tmp_path: Path) -> None:
    out = tmp_path / "c.npz"
    words = ["split=train", "count=33", "format=npz", f"out={out}"]
    assert genlab("encode", f"run={runs['vae']}", *words, "batch_size=7")[0] == 0
    arrays = np.load(out, allow_pickle=False)
    assert len(arrays["codes"]) == 33
    annotations = Digits(8, 1).write(np.empty((1797, 1, 8, 8), np.uint8), lambda *_: None)
    np.testing.assert_array_equal(annotations.labels["label"][arrays["indices"]], arrays["labels"])


def test_images_without_labels(genlab, unlabelled: Path) -> None:
    code, _, err = genlab("encode", f"run={unlabelled}", "format=both")
    assert (code, err) == (0, "")
    table = parquet.read_table(unlabelled / "codes" / "codes_test.parquet")
    assert table.column_names == ["index", "code_0", "code_1"]
    arrays = np.load(unlabelled / "codes" / "codes_test.npz")
    assert set(arrays) == {"codes", "indices"}


def test_a_codebook_keeps_its_indices_beside_those_of_the_images(genlab, trained) -> None:
    run = trained("model=vq_vae", "data=digits", "total_images=128")
    assert genlab("encode", f"run={run}", "format=both")[0] == 0
    arrays = np.load(run / "codes" / "codes_test.npz")
    assert arrays["indices"].ndim == 1
    assert arrays["code_indices"].ndim == 2
    table = parquet.read_table(run / "codes" / "codes_test.parquet")
    np.testing.assert_array_equal(table["distance"].to_numpy(), arrays["distance"])


@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        ("dcgan", [], "has no codes: choose the run of an autoencoder"),
        ("vae", ["format=csv"], "choose one of parquet, npz, both"),
        ("vae", ["count=0"], "count=0 must be"),
        ("vae", ["split=tset"], "did you mean test?"),
        ("vae", ["out=codes.npz"], "out=codes.npz does not fit: name a .parquet file"),
        ("vae", ["format=both", "out=codes.npz"], "name a folder"),
    ],
)
def test_mistakes_get_one_line(genlab, runs, model: str, words: list[str], message: str) -> None:
    code, _, err = genlab("encode", f"run={runs[model]}", *words)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
