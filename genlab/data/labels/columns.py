"""From columns of values to numbered classes, and to standardised numbers."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from genlab.data.listing import say
from genlab.words import readable, some

UNKNOWN = "unknown"
"""The class of images without a value; always the last class of its label."""
MAIN = ("label", "class", "cls", "target")
"""Columns of these names hold numbers of classes, also where there are two."""

_MISSING = ("", "na", "n/a", "nan", "null", UNKNOWN)
_NO = ("false", "no", "0", "-1")
_YES = ("true", "yes", "1")
_WHOLE = re.compile(r"-?\d{1,15}\.0+")
_FEW = 20  # different values are classes, however few images there are
_MOST_CODES = 1000
_MOST_KINDS = 10_000
_LONGEST = 200  # characters of a class


class Column(NamedTuple):
    """Values of one name, one for each image.

    Attributes:
        name: of the label.
        values: text, numbers or truths; None where there is no value.
        classes: their names, where the values are numbers of classes.
    """

    name: str
    values: Sequence[Any]
    classes: Sequence[str] | None = None

    def at(self, positions: Iterable[int | None]) -> "Column":
        """The values at some positions; no value for None."""
        values = [None if at is None else self.values[at] for at in positions]
        return self._replace(values=values)


class Numbers(NamedTuple):
    """A column of numbers.

    Attributes:
        values: float32 (N,), of mean 0 and deviation 1; 0 where there is no value.
        mean, deviation: of the values as they were.
        missing: where there is no value, bool (N,).
    """

    values: np.ndarray
    mean: float
    deviation: float
    missing: np.ndarray


@dataclass(frozen=True)
class Labels:
    """What columns say of N images.

    Attributes:
        numbered: the number of each image's class by label, int64 (N,).
        classes: class names by label; UNKNOWN comes last where some images have no value.
        numbers: columns of numbers by name.
        ignored: columns of text that are no labels, and the number of their different values.
    """

    numbered: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Labels") -> None:
        """Take up what other columns say."""
        self.numbered.update(other.numbered)
        self.classes.update(other.classes)
        self.numbers.update(other.numbers)
        self.ignored.update(other.ignored)

    def say_unused(self) -> None:
        """Log the columns that are no classes."""
        told = [f"{name} ({count:,} different texts)" for name, count in self.ignored.items()]
        told += [
            f"{name} (numbers: mean {numbers.mean:.4g}, deviation {numbers.deviation:.4g})"
            for name, numbers in self.numbers.items()
        ]
        if told:
            say(f"columns that are no classes, and no model takes: {some(told, 20)}")


def encoded(columns: Sequence[Column], wanted: Mapping[str, str] | None = None) -> Labels:
    """The labels that columns are.

    - A value that is empty, NA, N/A, NaN, null or unknown is missing: it becomes the class
      "unknown", the last one of its label.
    - true and false, yes and no, 1 and 0, 1 and -1 become the classes NAME and "not NAME"; 1 and 0
      of a column called label, class, cls or target stay the classes "0" and "1".
    - Whole numbers from 0 or 1 upwards without a gap, each on two images on average, are classes
      of these names. Other numbers are standardised.
    - Other text is classes, in the order of the alphabet. Columns of captions, addresses and the
      like are ignored: most images have a text of their own, or there are more than 10 000, or one
      has more than 200 characters.

    Args:
        columns: of one length each.
        wanted: columns by name: "auto" for these rules, but for the last one, "classes" for a class
            of every value; None for all columns.
    """
    labels = Labels()
    for column in columns:
        if wanted is None or column.name in wanted:
            _add(labels, column, None if wanted is None else wanted[column.name])
    return labels


def _add(labels: Labels, column: Column, kind: str | None) -> None:
    name = readable(column.name)
    if column.classes is not None:
        names = [readable(each) for each in column.classes]
        numbered = [_within(value, len(names)) for value in column.values]
        _number(labels, name, names, np.array(numbered, np.int64))
        return
    told = {value: _text(value) for value in set(column.values)}
    texts = [told[value] for value in column.values]
    found = {text for text in texts if text is not None}
    if not found:
        return
    values = None if kind == "classes" else _values(texts)
    if kind != "classes" and _are_truths(name, found):
        named = {text: int(text.lower() in _YES) for text in found}
        _number_texts(labels, name, [f"not {name}", name], texts, named)
    elif values is not None and not _are_codes(name, values):
        labels.numbers[name] = _standardised(values)
    elif kind is None and _are_sentences(found, len(texts)):
        labels.ignored[name] = len(found)
    else:
        kinds = sorted(found, key=_rank)
        named = {text: number for number, text in enumerate(kinds)}
        _number_texts(labels, name, [readable(each) for each in kinds], texts, named)


def _number_texts(
    labels: Labels,
    name: str,
    kinds: list[str],
    texts: Sequence[str | None],
    named: Mapping[str, int],
) -> None:
    numbered = [-1 if text is None else named[text] for text in texts]
    _number(labels, name, kinds, np.array(numbered, np.int64))


def _number(labels: Labels, name: str, kinds: list[str], numbered: np.ndarray) -> None:
    """Keep numbers of classes, -1 for none."""
    if (numbered < 0).any():
        numbered[numbered < 0] = len(kinds)
        kinds = [*kinds, UNKNOWN]
    labels.numbered[name] = numbered
    labels.classes[name] = kinds


def _within(value: Any, count: int) -> int:
    """The number of a class, -1 where it is none of `count`."""
    return value if type(value) is int and 0 <= value < count else -1


def _text(value: Any) -> str | None:
    """A value as text; None where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if _WHOLE.fullmatch(text):  # whole numbers with gaps, as pandas writes them
        text = text.partition(".")[0]
    return None if text.lower() in _MISSING else text


def _values(texts: Sequence[str | None]) -> np.ndarray | None:
    """The texts as numbers, NaN for missing ones; None where one of them is none."""
    try:
        values = np.array([math.nan if text is None else float(text) for text in texts])
    except ValueError:
        return None
    return None if np.isinf(values).any() else values


def _standardised(values: np.ndarray) -> Numbers:
    missing = np.isnan(values)
    mean, deviation = float(np.nanmean(values)), float(np.nanstd(values))
    scaled = np.where(missing, 0, (values - mean) / (deviation or 1))
    return Numbers(scaled.astype(np.float32), mean, deviation, missing)


def _are_truths(name: str, found: set[str]) -> bool:
    """Whether the values are all yes and no; see `encoded`."""
    lower = {text.lower() for text in found}
    if name.lower() in MAIN and lower <= {"0", "1"}:
        return False
    return lower <= {*_NO, *_YES} and not lower >= {"0", "-1"}


def _are_codes(name: str, values: np.ndarray) -> bool:
    """Whether numbers are those of classes; see `encoded`."""
    there = values[~np.isnan(values)]
    kinds = np.unique(there)
    if len(kinds) > _MOST_CODES or (kinds != np.round(kinds)).any():
        return False
    dense = kinds[0] in (0, 1) and kinds[-1] - kinds[0] + 1 == len(kinds)
    return name.lower() in MAIN or bool(dense and len(there) >= 2 * len(kinds))


def _are_sentences(found: set[str], count: int) -> bool:
    """Whether texts of so many images are none of classes; see `encoded`."""
    own = len(found) > _FEW and len(found) > count / 2
    return own or len(found) > _MOST_KINDS or max(map(len, found)) > _LONGEST


def _rank(text: str) -> tuple[int, float, str]:
    """Numbers by their size, then other text by the alphabet."""
    try:
        value = float(text)
    except ValueError:
        return 1, 0, text
    return (0, value, text) if math.isfinite(value) else (1, 0, text)
