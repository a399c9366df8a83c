"""Images added to the training part, and batches balanced over a label."""

from pathlib import Path

import numpy as np
import pytest

from genlab.data import Digits, Domains
from genlab.data.module import Batches, ImageData, Parts
from genlab.errors import ConfigError, DataError


def digits(labels_per_class: int | None = None, **batches) -> ImageData:
    parts = Parts(validation=0.1, test=0.1, labels_per_class=labels_per_class)
    batches = {"batch_size": 8} | batches
    return ImageData(Digits(8, 1), parts, Batches(**batches), in_memory_gb=1.0, seed=0)


def written(path: Path, **arrays: np.ndarray) -> str:
    given = {"images": np.zeros((6, 8, 8, 1), np.uint8), "labels": np.arange(6)} | arrays
    np.savez(path, **{name: value for name, value in given.items() if value is not None})
    return str(path)


def test_extra_images_follow_those_of_the_training_part(tmp_path: Path) -> None:
    pictures = np.full((6, 8, 8, 1), 77, np.uint8)
    data = digits(labels_per_class=3, extra=written(tmp_path / "more.npz", images=pictures))
    image_set, (positions,) = data.training()
    assert len(positions) == len(image_set) == 36
    chosen = data.indices("train")
    assert np.array_equal(image_set.images[:30], data.image_set.images[chosen])
    assert (image_set.images[30:] == 77).all()
    assert image_set.labels["label"].tolist()[30:] == [0, 1, 2, 3, 4, 5]
    held = [data.indices(split) for split in ("validation", "test")]
    assert not set(chosen) & set(np.concatenate(held))


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"images": np.zeros((6, 9, 9, 1), np.uint8)}, "8 x 8 pixels"),
        ({"images": np.zeros((6, 8, 8, 1), np.float32)}, "uint8"),
        ({"images": None}, "must hold images"),
        ({"labels": None}, "does not say the label"),
        ({"labels": np.arange(6) + 5}, "other classes"),
        ({"labels": np.arange(6) - 1}, "other classes"),
        ({"labels": np.zeros((6, 2), int)}, "not a whole number for each image"),
        ({"labels": np.zeros(6)}, "not a whole number for each image"),
        ({"labels": np.arange(5)}, "not a whole number for each image"),
        ({"images": np.zeros((0, 8, 8, 1), np.uint8), "labels": np.zeros(0, int)}, "must hold"),
        ({"images": np.uint8(1)}, "must hold images"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        digits(extra=written(tmp_path / "more.npz", **arrays)).training()


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    for name in ("broken.npz", "missing.npz"):
        with pytest.raises(DataError, match=name):
            digits(extra=str(tmp_path / name)).training()


def test_two_sources_become_one_set_that_says_whose_images_are_whose() -> None:
    source = Domains(Digits(8, 1), Digits(8, 1), ["left", "right"], 8, 1)
    images = np.empty((source.count(), 1, 8, 8), np.uint8)
    annotations = source.write(images, lambda _: None)
    half = len(images) // 2
    assert np.array_equal(images[:half], images[half:])
    assert annotations.classes == {"domain": ["left", "right"]}
    assert annotations.labels["domain"].tolist() == [0] * half + [1] * half


def test_sources_have_to_agree() -> None:
    with pytest.raises(ConfigError, match="resolution"):
        Domains(Digits(8, 1), Digits(16, 1), ["left", "right"], 8, 1)
    with pytest.raises(ConfigError, match="two different names"):
        Domains(Digits(8, 1), Digits(8, 1), ["left", "left"], 8, 1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"balanced": "kind"}, "data.balanced=kind"),
        ({"balanced": "label"}, "multiple of 10"),
        ({"crop": -1}, "data.crop=-1"),
    ],
)
def test_wrong_settings_are_named(settings: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        digits(**settings).training()
