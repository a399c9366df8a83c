import numpy as np
import pytest

from genlab.data import ImageSet
from genlab.data.image_set import drawn
from genlab.errors import ConfigError, DataError


def image_set(count, test_start=None):
    return ImageSet(np.zeros((count, 1, 2, 2), np.uint8), {}, {}, "nothing", test_start)


@pytest.mark.parametrize("test_start", [None, 80])
@pytest.mark.parametrize("validation", [0, 1, 7, 0.25])
def test_the_parts_are_disjoint_and_cover_the_set(validation, test_start):
    images = image_set(100, test_start)
    parts = [images.split(name, validation, 0.1) for name in ("train", "validation", "test")]
    assert sorted(np.concatenate(parts)) == list(range(100))
    assert all(part.dtype == np.int64 and (np.diff(part) > 0).all() for part in parts)


def test_sizes_are_shares_or_numbers():
    assert len(image_set(100).split("test", 0.5, 20)) == 20
    assert len(image_set(100).split("validation", 0.5, 20)) == 40
    assert len(image_set(100).split("validation", 1, 20)) == 1


def test_the_own_test_split_takes_the_place_of_the_setting():
    assert list(image_set(10, 8).split("test", 0.5, 0.9)) == [8, 9]


def test_splits_depend_on_nothing_but_the_arguments():
    first = image_set(50).split("train", 0.2, 0.2)
    assert (first == image_set(50).split("train", 0.2, 0.2)).all()
    assert (first != image_set(50).split("train", 0.2, 0.2, seed=1)).any()


def test_three_images_fill_three_parts():
    sizes = [len(image_set(3).split(name, 0.01, 0.01)) for name in ("train", "validation", "test")]
    assert sizes == [1, 1, 1]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_images(count):
    with pytest.raises(DataError, match="too few to train on"):
        image_set(count).split("validation", 0.1, 0.1)


@pytest.mark.parametrize("size", [100, 1000, -1, 1.5])
def test_impossible_sizes(size):
    with pytest.raises(ConfigError, match=r"data\.validation"):
        image_set(100).split("train", size, 0)


def test_an_unknown_part_gets_its_near_miss():
    with pytest.raises(ConfigError, match="did you mean validation"):
        image_set(10).split("validaton", 0.1, 0.1)


def test_a_part_is_drawn_and_the_whole_is_as_it_was():
    indices = np.arange(0, 3000, 3)
    for count in (None, 1000, 2000):
        assert drawn(indices, count) is indices
    part = drawn(indices, 400)
    assert np.isin(part, indices).all()
    assert (np.diff(part) > 0).all()
    assert np.array_equal(part, drawn(indices, 400))
    assert not np.array_equal(part, drawn(indices, 400, seed=1))
    assert abs(part.mean() - indices.mean()) < 3 * 3000 / (12 * 400) ** 0.5
