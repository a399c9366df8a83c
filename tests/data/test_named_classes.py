import numpy as np
import pytest

from genlab.data import Digits
from genlab.data.classes import listed_classes, named_classes
from genlab.data.module import Batches, ImageData, Parts
from genlab.errors import ConfigError

CLASSES = {"label": ["Bag", "Ankle boot", "3"], "lining": ["none", "Silk", "3"]}


def digits(**settings) -> ImageData:
    parts = Parts(validation=0.1, test=0.1, **settings)
    return ImageData(Digits(8, 1), parts, Batches(batch_size=8), in_memory_gb=1, seed=0)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Bag", {"label": [0]}),
        (["Silk", "Bag", "Ankle boot"], {"lining": [1], "label": [0, 1]}),
        ({"label": ["Bag", 3]}, {"label": [0, 2]}),
        ({"lining": 3}, {"lining": [2]}),
    ],
)
def test_classes_are_named_with_their_label_or_alone(wanted, found):
    assert named_classes(CLASSES, wanted, "key") == found


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("Bagg", "data.leave_out=Bagg: no such class; did you mean Bag?"),
        ({"lable": ["Bag"]}, "no label lable; did you mean label?"),
        ({"label": ["Silk"]}, r"data.leave_out.label=Silk: no such class; known: 3, Ankle boot"),
        (3, r"the labels label, lining have such a class.*data.leave_out={label:\[3\]}"),
        ([], "names no class"),
        ({"label": []}, "names no class"),
    ],
)
def test_what_there_is_not_gets_its_near_miss(wanted, message):
    with pytest.raises(ConfigError, match=message):
        named_classes(CLASSES, wanted, "data.leave_out")


@pytest.mark.parametrize("leave_out", [{"label": [3, "5"]}, [3, 5]])
def test_only_the_test_part_has_classes_that_are_left_out(leave_out):
    whole, some = digits(), digits(leave_out=leave_out)
    labels = whole.image_set.labels["label"]
    for split in ("train", "validation"):
        indices = whole.indices(split)
        kept = indices[~np.isin(labels[indices], [3, 5])]
        assert 0 < len(kept) < len(indices)
        assert np.array_equal(some.indices(split), kept)
    test = whole.indices("test")
    assert np.array_equal(some.indices("test"), test)
    assert np.array_equal(some.left_out(test), np.isin(labels[test], [3, 5]))
    assert not whole.left_out(test).any()


def test_labels_per_class_are_those_of_the_classes_that_stay():
    data = digits(leave_out=[3], labels_per_class=4)
    counts = np.bincount(data.image_set.labels["label"][data.indices("train")], minlength=10)
    assert counts.tolist() == [4, 4, 4, 0, 4, 4, 4, 4, 4, 4]


def test_the_prepared_images_are_shared(cache):
    assert len(digits().image_set) == len(digits(leave_out=[3]).image_set)
    assert len(list(cache.iterdir())) == 1


def test_something_is_left_to_train_on():
    with pytest.raises(ConfigError, match="leaves no training images"):
        digits(leave_out=list(range(10))).indices("train")


def test_classes_are_listed_in_a_line() -> None:
    assert listed_classes({"label": ["cat", "dog"]}) == "label, of 2 classes (cat, dog)"
    assert listed_classes({"label": list("abcdefg")}) == "label, of 7 classes (a, b, c, d, e, ...)"
    several = {"hair": ["none", "long"], "hat": ["none", "cap", "crown"]}
    assert listed_classes(several) == "2 of them: hair (2 classes), hat (3 classes)"
