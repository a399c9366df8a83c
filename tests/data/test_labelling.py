"""Labels of a user's images, from a file or from their paths."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlab.data import Folder, ImageSet, Labelling, prepare
from genlab.data.extra import extended
from genlab.errors import ConfigError, DataError

NAMES = ("cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.png", "dogs/3.png", "dogs/4.png")
TABLE = """path,style,signed,age,mood
cats/1.png,oil,yes,10,calm
dogs/2.png,ink,,20.5,
dogs/1.png,,no,31,wild
cats/2.png,oil,no,,calm
dogs/9.png,ink,no,3,calm
cats/2.png,ink,no,3,wild
dogs/3.png,ink,yes,3,calm
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "images" / name)
    (tmp_path / "labels.csv").write_text(TABLE)
    return tmp_path / "images"


def folder(root: Path, skip: bool = False, **labelling: Any) -> Folder:
    return Folder(str(root), 8, 3, False, skip, 10**6, labelling=Labelling(**labelling))


def named(images: ImageSet, label: str) -> list[str]:
    return [images.classes[label][number] for number in images.labels[label]]


def test_a_file_of_several_labels_with_gaps(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Rows of dogs/9.png (no image) and of cats/2.png (the second one) count for nothing."""
    caplog.set_level(logging.INFO)
    images = prepare(folder(root, path=str(root.parent / "labels.csv")), 1)
    assert images.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert images.classes == {
        "style": ["ink", "oil", "unknown"],
        "signed": ["not signed", "signed", "unknown"],
        "mood": ["calm", "wild", "unknown"],
    }
    assert named(images, "style") == ["oil", "oil", "unknown", "ink", "ink", "unknown"]
    assert images.labels["signed"].tolist() == [1, 0, 0, 2, 1, 2]
    assert named(images, "mood") == ["calm", "calm", "wild", "unknown", "calm", "unknown"]
    assert (
        "labels.csv: 5 of 6 images have labels; 1 image without a row (dogs/4.png); 1 row without "
        "an image (dogs/9.png); 1 row for an image that has one (cats/2.png)"
    ) in caplog.text
    assert "no model takes: age (numbers: mean 16.12, deviation 10.61)" in caplog.text


def test_images_without_a_value_can_be_left_out(root: Path) -> None:
    images = prepare(folder(root, path=str(root.parent / "labels.csv"), missing="leave_out"), 1)
    assert images.classes["style"] == ["ink", "oil"]
    splits = [images.split(name, 1, 1) for name in ("train", "validation", "test")]
    assert np.sort(np.concatenate(splits)).tolist() == [0, 1, 4]
    assert named(images, "style")[4] == "ink"
    only = folder(
        root, path=str(root.parent / "labels.csv"), missing="leave_out", columns=["style"]
    )
    images = prepare(only, 1)
    assert list(images.classes) == ["style"]
    assert images.split("train", 0, 0).tolist() == [0, 1, 3, 4]
    with pytest.raises(ConfigError, match=r"leaves no training images of 4"):
        images.split("train", 4, 0)


def test_a_set_of_its_own_test_part_is_left_out_there_too() -> None:
    labels = {"a": np.array([0, 1, 2, 0, 2])}
    images = ImageSet(np.zeros((5, 1, 2, 2), np.uint8), labels, {"a": ["x", "y", "unknown"]}, "", 3)
    left = Labelling(missing="leave_out").applied(images)
    left.check()
    assert left.classes == {"a": ["x", "y"]}
    assert left.split("train", 0, 0).tolist() == [0, 1]
    assert left.split("test", 0, 0).tolist() == [3]
    with pytest.raises(DataError, match="leaves no image"):
        Labelling(missing="leave_out").applied(
            ImageSet(images.images, {"a": np.full(5, 1)}, {"a": ["x", "unknown"]}, "", None)
        )


def test_a_pattern_of_paths(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pattern = r"(?P<kind>[a-z]+)s/(?P<number>[123])\.png"
    images = prepare(folder(root, pattern=pattern), 1)
    assert images.classes == {
        "kind": ["cat", "dog", "unknown"],
        "number": ["1", "2", "3", "unknown"],
    }
    assert named(images, "kind") == ["cat", "cat", "dog", "dog", "dog", "unknown"]
    assert "does not fit 1 image: dogs/4.png" in caplog.text


def test_a_file_and_a_pattern_together(root: Path) -> None:
    both = {"path": str(root.parent / "labels.csv"), "pattern": "(?P<kind>cat|dog)"}
    assert list(prepare(folder(root, **both), 1).classes) == ["style", "signed", "mood", "kind"]
    with pytest.raises(ConfigError, match=r"both name mood"):
        prepare(folder(root, **both | {"pattern": "(?P<mood>cat)"}), 1)


def test_labels_that_images_have_can_be_chosen(root: Path) -> None:
    assert list(prepare(folder(root), 1).classes) == ["label"]
    assert list(prepare(folder(root, columns=["label"]), 1).classes) == ["label"]
    with pytest.raises(ConfigError, match=r"data\.label_columns: there is no column labl; did you"):
        prepare(folder(root, columns="labl"), 1)


def test_other_labels_need_no_new_images(root: Path, cache: Path) -> None:
    """The file changes, the images do not: what is prepared is used again."""
    plain = folder(root)
    prepare(plain, 1)
    (entry,) = [each for each in cache.iterdir() if each.name[0] != "."]
    written = (entry / "images.npy").stat().st_mtime_ns
    labelled = folder(root, path=str(root.parent / "labels.csv"))
    assert named(prepare(labelled, 1), "mood")[0] == "calm"
    before = labelled.fingerprint()
    (root.parent / "labels.csv").write_text(TABLE.replace("calm", "serene"))
    assert named(prepare(labelled, 1), "mood")[0] == "serene"
    assert labelled.fingerprint() != before
    assert before["labels"] != plain.fingerprint().get("labels")
    assert plain.fingerprint() == plain.stored() == labelled.stored()
    assert (entry / "images.npy").stat().st_mtime_ns == written


def test_sets_from_before_names_were_kept_are_prepared_again(root: Path, cache: Path) -> None:
    prepare(folder(root), 1)
    (entry,) = [each for each in cache.iterdir() if each.name[0] != "."]
    (entry / "names.json").unlink()
    prepare(folder(root), 1)
    assert not (entry / "names.json").exists()
    images = prepare(folder(root, path=str(root.parent / "labels.csv")), 1)
    assert images.names == list(NAMES)
    (entry / "names.json").write_text('["a"]')
    assert prepare(folder(root, path=str(root.parent / "labels.csv")), 1).names == list(NAMES)


def test_skipped_images_do_not_shift_labels(root: Path) -> None:
    (root / "cats" / "1.png").write_bytes(b"")
    images = prepare(folder(root, skip=True, path=str(root.parent / "labels.csv")), 1)
    assert named(images, "style") == ["oil", "unknown", "ink", "ink", "unknown"]


def test_parts_of_a_set_keep_their_labels(root: Path) -> None:
    """Test images are last, and rows may leave out the part's folder."""
    root.joinpath("cats").rename(root.parent / "test")
    (root / "train").mkdir()
    root.joinpath("dogs").rename(root / "train" / "dogs")
    (root / "test").mkdir()
    (root.parent / "test").rename(root / "test" / "cats")
    images = prepare(folder(root, path=str(root.parent / "labels.csv")), 1)
    assert images.test_start == 4
    assert named(images, "style") == ["unknown", "ink", "ink", "unknown", "oil", "oil"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pattern": "[a-z]+"}, r"data\.labels_from=\[a-z\]\+ names no label"),
        ({"pattern": "(?P<a>"}, r"data\.labels_from=\(\?P<a> is no regular expression"),
        ({"pattern": f"(?P<a>{'a' * 500})"}, "longer than 500 characters"),
        ({"missing": "drop"}, r"data\.missing=drop is not known"),
        (
            {"columns": {"age": "numbers"}},
            r"data\.label_columns\.age=numbers: numbers are not",
        ),
        ({"columns": {"age": "clases"}}, r"data\.label_columns\.age=clases .*did you mean classes"),
    ],
)
def test_settings_are_checked_at_once(root: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        folder(root, **settings)


def test_what_fits_nothing_is_refused(root: Path) -> None:
    (root.parent / "other.csv").write_text("path,a\nx.png,1\n")
    with pytest.raises(DataError, match=r"other\.csv: 0 of 6 images have labels.*below data\.path"):
        prepare(folder(root, path=str(root.parent / "other.csv")), 1)
    with pytest.raises(DataError, match=r"data\.labels_from=.* fits no path of 6 images"):
        prepare(folder(root, pattern="(?P<a>birds)"), 1)
    with pytest.raises(DataError, match=r"data\.labels=.*gone\.csv cannot be read"):
        prepare(folder(root, path=str(root.parent / "gone.csv")), 1)


def test_further_images_have_no_names(root: Path, tmp_path: Path) -> None:
    images = prepare(folder(root, path=str(root.parent / "labels.csv"), missing="leave_out"), 1)
    np.savez(
        tmp_path / "extra.npz",
        images=np.zeros((2, 8, 8, 3), np.uint8),
        **{f"labels/{name}": np.zeros(2, np.int64) for name in images.labels},
    )
    more = extended(images, np.array([0, 4]), str(tmp_path / "extra.npz"))
    assert more.unused is None
    assert len(more) == 4
