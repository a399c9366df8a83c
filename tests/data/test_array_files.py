"""Images in .npy and .npz files."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genlab.data import Arrays, Folder, ImageSet, prepare
from genlab.data.containers.arrays import Arrays as Container
from genlab.errors import ConfigError, DataError, DataMissing
from genlab.io.arrays import map_npz


def of(path: Path, kind: type = Folder, **others: Any) -> Any:
    settings = {"resolution": 8, "channels": 3, "max_pixels": 10**6} | others
    return kind(str(path), strict=False, skip_unreadable=False, **settings)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def named(images: ImageSet, label: str = "label") -> list[str]:
    return [images.classes[label][number] for number in images.labels[label]]


RGB = noise(5, 8, 8, 3)
GREY = noise(5, 8, 8)


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
@pytest.mark.parametrize("kind", [Folder, Arrays])
def test_channels_last_first_and_none(tmp_path: Path, kind: type, save: Any) -> None:
    file = tmp_path / ("a.npy" if save is np.save else "a.npz")
    for images, wanted in (
        (RGB, RGB.transpose(0, 3, 1, 2)),
        (RGB.transpose(0, 3, 1, 2), RGB.transpose(0, 3, 1, 2)),
        (np.asfortranarray(RGB), RGB.transpose(0, 3, 1, 2)),
        (GREY, GREY[:, None].repeat(3, 1)),
        (GREY[..., None], GREY[:, None].repeat(3, 1)),
        (GREY[:, None], GREY[:, None].repeat(3, 1)),
    ):
        save(file, images)
        assert np.array_equal(prepare(of(file, kind), 1).images, wanted)


def test_the_last_axis_decides_where_both_may_be_channels(tmp_path: Path) -> None:
    """(5, 3, 8, 3) is three rows of eight pixels."""
    images = noise(5, 3, 8, 3)
    np.save(tmp_path / "a.npy", images)
    made = prepare(of(tmp_path / "a.npy", resolution=3), 1).images
    assert np.array_equal(made, images[:, :, 2:5].transpose(0, 3, 1, 2))


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    images = np.zeros((2, 8, 8, 4), np.uint8)
    images[1, ..., 3] = 255
    np.save(tmp_path / "a.npy", images)
    assert prepare(of(tmp_path / "a.npy"), 1).images[:, 0, 0, 0].tolist() == [255, 0]


@pytest.mark.parametrize("key", ["labels", "y", "Targets", "label"])
def test_labels_of_an_npz(tmp_path: Path, key: str) -> None:
    np.savez(tmp_path / "a.npz", images=RGB, **{key: np.array([[3], [0], [3], [7], [0]])})
    images = prepare(of(tmp_path / "a.npz"), 1)
    assert images.classes == {"label": ["0", "3", "7"]}
    assert named(images) == ["3", "0", "3", "7", "0"]
    assert images.about == "5 images of the file a.npz"


def test_several_labels_as_genlab_writes_them(tmp_path: Path) -> None:
    hair, label = np.array([0, 1, 2, 1, 0, 2]), np.array([1, 1, 0, 0, 0, 1])
    np.savez(tmp_path / "a.npz", images=noise(6, 8, 8, 3), labels=label, **{"labels/hair": hair})
    images = prepare(of(tmp_path / "a.npz"), 1)
    assert images.labels["label"].tolist() == label.tolist()
    assert images.labels["hair"].tolist() == hair.tolist()


@pytest.mark.parametrize("names", ["x_{} y_{}", "{}_images {}_labels"])
def test_parts_of_a_set(tmp_path: Path, names: str) -> None:
    """As in Keras' and MedMNIST's files; test images are last."""
    arrays = {}
    for number, part in enumerate(("test", "train", "val")):
        image, label = names.format(part, part).split()
        arrays[image] = np.full((number + 1, 8, 8), number, np.uint8)
        arrays[label] = np.full((number + 1, 1), number + 5)
    np.savez(tmp_path / "a.npz", **arrays)
    images = prepare(of(tmp_path / "a.npz"), 1)
    assert images.images[:, 0, 0, 0].tolist() == [1, 1, 2, 2, 2, 0]
    assert named(images) == ["6", "6", "7", "7", "7", "5"]
    assert images.test_start == 5


def test_the_only_array_of_images_or_the_one_that_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", faces=RGB, codes=noise(5, 9))
    assert np.array_equal(prepare(of(tmp_path / "a.npz"), 1).images, RGB.transpose(0, 3, 1, 2))
    np.savez(tmp_path / "b.npz", faces=RGB, masks=GREY)
    with pytest.raises(DataError, match=r"several .* \(faces \(5, 8, 8, 3\), masks .*data\.column"):
        prepare(of(tmp_path / "b.npz"), 1)
    made = prepare(of(tmp_path / "b.npz", column="masks"), 1).images
    assert np.array_equal(made[:, 0], GREY)
    with pytest.raises(ConfigError, match=r"data\.column=face .*did you mean faces"):
        prepare(of(tmp_path / "b.npz", column="face"), 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": RGB.astype(np.float32)}, r"images is of float32: only uint8"),
        ({"images": noise(5, 8)}, r"images is of shape \(5, 8\)"),
        ({"images": noise(5, 8, 8, 9)}, r"\(5, 8, 8, 9\): images are \(N, H, W\)"),
        (
            {"images": RGB, "labels": np.arange(4)},
            r"label are of shape \(4,\), not one",
        ),
        ({"images": RGB, "labels": np.array(["a", None])}, "not readable as an npz of numbers"),
        ({"images": RGB[:0]}, "holds no images"),
        ({"images": noise(1, 2000, 2000)}, r"0 cannot be used: 2000 x 2000 pixels are too many"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        prepare(of(tmp_path / "a.npz"), 1)


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy: not readable as an array"):
        prepare(of(tmp_path / "a.npy"), 1)
    with pytest.raises(DataMissing, match="does not exist"):
        prepare(of(tmp_path / "b.npy", Arrays), 1)


def test_links_to_a_file_are_followed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RGB)
    (tmp_path / "b.npy").symlink_to(tmp_path / "a.npy")
    assert len(prepare(of(tmp_path / "b.npy"), 1)) == 5


def test_arrays_are_mapped_where_they_are_stored_as_they_are(tmp_path: Path) -> None:
    wanted = {"images": RGB, "turned": np.asfortranarray(noise(3, 4)), "empty": noise(0, 2)}
    np.savez(tmp_path / "a.npz", **wanted)
    found = map_npz(tmp_path / "a.npz", DataError)
    assert all(np.array_equal(found[name], array) for name, array in wanted.items())
    assert isinstance(found["images"], np.memmap)
    np.savez_compressed(tmp_path / "b.npz", images=RGB)
    assert not isinstance(map_npz(tmp_path / "b.npz", DataError)["images"], np.memmap)


def test_a_pickled_container_does_not_carry_the_arrays(tmp_path: Path) -> None:
    images = noise(1000, 16, 16)
    np.save(tmp_path / "a.npy", images)
    container = Container(tmp_path / "a.npy")
    assert container.whereabouts(7) == f"{tmp_path}/a.npy: 7"
    content = pickle.dumps(container)
    assert len(content) < 20_000
    again = of(tmp_path / "a.npy", resolution=16, channels=1)
    again.container = pickle.loads(content)
    assert np.array_equal(again.prepared(7).pixels[0], images[7])


def test_a_folder_of_images_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.column=a: .* has no columns"):
        prepare(of(tmp_path, column="a"), 1)
