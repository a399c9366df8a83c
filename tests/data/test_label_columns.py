"""What columns of values become: classes, yes and no, numbers, nothing."""

import math
from typing import Any

import numpy as np
import pytest

from genlab.data.labels.columns import Column, encoded


def of(
    values: list[Any], name: str = "a", wanted: str | None = None
) -> tuple[list[str], list[str]]:
    """The classes of one column, and that of each value."""
    labels = encoded([Column(name, values)], wanted and {name: wanted})
    kinds = labels.classes[name]
    return kinds, [kinds[number] for number in labels.numbered[name]]


def test_text_is_classes_in_the_order_of_the_alphabet() -> None:
    assert of(["oil", "ink", " oil ", "Öl"]) == (["ink", "oil", "Öl"], ["oil", "ink", "oil", "Öl"])


@pytest.mark.parametrize("gap", ["", "NA", "n/a", "NaN", "null", "Unknown", None, math.nan, " "])
def test_gaps_are_a_class_of_their_own_and_the_last(gap: Any) -> None:
    kinds, values = of(["zoo", gap, "ant", "zoo"])
    assert kinds == ["ant", "zoo", "unknown"]
    assert values == ["zoo", "unknown", "ant", "zoo"]


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("yes", "no"),
        ("TRUE", "False"),
        (True, False),
        ("1", "-1"),
        (1, 0),
        (1.0, 0.0),
        ("1.0", "0"),
    ],
)
def test_yes_and_no(yes: Any, no: Any) -> None:
    kinds, values = of([yes, no, None, no], "smiling")
    assert kinds == ["not smiling", "smiling", "unknown"]
    assert values == ["smiling", "not smiling", "unknown", "not smiling"]


def test_numbers_of_classes_are_classes_though_there_are_two() -> None:
    for name in ("label", "Class", "target"):
        assert of([1, 0, 1], name) == (["0", "1"], ["1", "0", "1"])


def test_dense_whole_numbers_are_classes_in_their_order() -> None:
    numbers = [*range(12), *range(12)]
    assert of(numbers)[0] == [str(number) for number in range(12)]
    assert of([f"{number}.0" for number in numbers])[0][2] == "2"  # as pandas writes gaps
    assert of([number + 1 for number in numbers])[0][0] == "1"


@pytest.mark.parametrize(
    "values", [[0.5, 1.5, 1.5, 0.5], [18, 30, 18, 30], [0, 1, 2, 3], [-1, 2, -1, 2], ["1e3", "2.5"]]
)
def test_other_numbers_are_standardised(values: list[Any]) -> None:
    labels = encoded([Column("age", values)])
    assert not labels.classes
    numbers = labels.numbers["age"]
    told = np.array(values, float)
    assert numbers.mean == told.mean()
    assert numbers.deviation == told.std()
    assert np.allclose(numbers.values, (told - told.mean()) / told.std())


def test_numbers_with_gaps() -> None:
    numbers = encoded([Column("age", [10, None, 20.5])]).numbers["age"]
    assert numbers.values.tolist() == [-1, 0, 1]
    assert numbers.missing.tolist() == [False, True, False]


def test_numbers_can_be_classes() -> None:
    assert of([18, 30, 9], wanted="classes") == (["9", "18", "30"], ["18", "30", "9"])
    assert of([1, 0, 1], wanted="classes")[0] == ["0", "1"]


def test_captions_are_ignored_unless_asked_for() -> None:
    captions = [f"a photo of {number}" for number in range(30)]
    assert encoded([Column("text", captions)]).ignored == {"text": 30}
    assert encoded([Column("text", ["x" * 201, "b"] * 9)]).ignored == {"text": 2}
    assert len(of(captions, wanted="auto")[0]) == 30
    assert len(of(captions * 2)[0]) == 30  # two images each


def test_classes_are_printable() -> None:
    """Control characters and bytes that are no UTF-8, as in paths, and halves of pairs of JSON."""
    assert of(["a\x1bb", "c\udce9", "d\ud800"])[0] == ["a\\x1bb", "c\\xe9", "d\\ud800"]


def test_named_classes_keep_their_numbers() -> None:
    labels = encoded([Column("a", [2, 0, -1, None, 9], ["x", "y", "z"])])
    assert labels.classes["a"] == ["x", "y", "z", "unknown"]
    assert labels.numbered["a"].tolist() == [2, 0, 3, 3, 3]


def test_only_what_is_wanted_and_what_has_values() -> None:
    columns = [Column("a", ["x", "y"]), Column("b", ["x", "y"]), Column("c", [None, None])]
    assert list(encoded(columns, {"b": "auto"}).classes) == ["b"]
    assert list(encoded(columns).classes) == ["a", "b"]
