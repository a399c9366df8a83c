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


def labelled(sizes, name="label", seed=0):
    """A set whose classes have these sizes, in no order."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    images = np.zeros((len(labels), 1, 2, 2), np.uint8)
    return ImageSet(images, {name: labels}, {name: list(map(str, sizes))}, "nothing", None)


@pytest.mark.parametrize("name", ["label", "smile"])
@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ([700, 200, 90, 10], 100, [70, 20, 9, 1]),
        ([50, 30, 20], 7, [4, 2, 1]),  # quotas 3.5, 2.1, 1.4: one is left for the .5
        ([60, 0, 40], 3, [2, 0, 1]),  # 1.8, 0, 1.2
        ([997, 1, 1, 1], 4, [4, 0, 0, 0]),  # 3.988
    ],
)
def test_a_draw_gives_every_class_its_share(sizes, count, expected, name):
    images = labelled(sizes, name)
    for seed in range(5):
        part = images.drawn(np.arange(len(images)), count, seed)
        assert np.bincount(images.labels[name][part], minlength=len(sizes)).tolist() == expected
        assert (np.diff(part) > 0).all()  # sorted, none twice


def test_the_shares_are_those_of_the_positions_that_are_drawn_from():
    images = labelled([100, 100])
    labels = images.labels["label"]
    indices = np.flatnonzero((labels == 0) | (np.cumsum(labels) <= 25))
    indices = indices[np.arange(len(indices)) % 5 > 0]
    counts = np.bincount(labels[indices])
    part = images.drawn(indices, len(indices) // 2)
    assert np.isin(part, indices).all()
    assert abs(np.bincount(labels[part]) - counts / 2).max() <= 1


def test_a_draw_of_fewer_images_than_classes_takes_classes_by_the_seed():
    images = labelled([3] * 20)
    seen = set()
    for seed in range(30):
        part = images.drawn(np.arange(60), 7, seed)
        taken = images.labels["label"][part]
        assert len(set(taken.tolist())) == len(part) == 7  # equal remainders: no class twice
        seen |= set(taken.tolist())
    assert seen == set(range(20))


def test_a_draw_with_labels_is_repeated_by_its_seed_and_random_within_a_class():
    images = labelled([600, 400])
    everything = np.arange(1000)
    part = images.drawn(everything, 100)
    assert np.array_equal(part, images.drawn(everything, 100))
    assert images.drawn(everything, None) is everything
    assert images.drawn(everything, 1000) is everything
    times = np.zeros(1000)
    for seed in range(400):
        times[images.drawn(everything, 100, seed)] += 1
    assert times.sum() == 40_000
    # Each has been drawn 40 times with a deviation of 6.
    assert abs(times - 40).max() < 5 * 6


def test_the_shards_of_ranks_are_disjoint_and_together_the_draw():
    from genlab.data import Digits
    from genlab.data.module import ImageData

    data = ImageData(
        Digits(resolution=8, channels=1),
        validation=0.2,
        test=0.1,
        flip=False,
        batch_size=8,
        in_memory_gb=1,
        seed=0,
    )
    part = data.image_set.drawn(data.indices("validation"), 50)
    marked = data.image_set.images[part].reshape(50, -1)
    shards = [
        np.concatenate(
            [b.images.flatten(1).numpy() for b in data.held_out("validation", 8, 50, r, 3)]
        )
        for r in range(3)
    ]
    assert [len(shard) for shard in shards] == [17, 17, 16]
    for rank, shard in enumerate(shards):
        assert np.array_equal(shard, marked[rank::3])
