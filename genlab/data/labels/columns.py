"""From columns of values to numbered classes, and to standardised numbers."""

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from genlab.words import readable

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
_logger = logging.getLogger(__name__)


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

    def at(self, positions: Iterable[int]) -> "Column":
        """The values at some positions."""
        return self._replace(values=[self.values[position] for position in positions])


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


def encoded(columns: Sequence[Column], wanted: Mapping[str, str] | None = None) -> Labels:
    """The labels that columns are.

    - A value that is empty, NA, N/A, NaN, null or unknown is missing: it becomes the class
      "unknown", the last one of its label.
    - true and false, yes and no, 1 and 0, 1 and -1 become the classes NAME and "not NAME"; 1 and 0
      of a column called label, class, cls or target stay the classes "0" and "1".
    - Whole numbers from 0 or 1 upwards without a gap, each on two images on average, are classes
      of these names. Other numbers are standardised.
    - Other text is classes, in the order of the alphabet; where most images have a text of their
      own, as captions and addresses are, the column is ignored.

    Args:
        columns: of one length each.
        wanted: "auto", "classes" or "numbers" by column; None for all columns, by these rules.

    Raises:
        ValueError: a column cannot be what is wanted of it.
    """
    labels = Labels()
    for column in columns:
        if wanted is not None and column.name not in wanted:
            continue
        kind = "auto" if wanted is None else wanted[column.name]
        _add(labels, column, kind, asked=wanted is not None)
    return labels


def _add(labels: Labels, column: Column, kind: str, asked: bool) -> None:
    name = readable(column.name)
    if column.classes is not None:
        names = [readable(each) for each in column.classes]
        numbered = [_within(value, len(names)) for value in column.values]
        _number(labels, name, names, np.array(numbered, np.int64))
        return
    texts = [_text(value) for value in column.values]
    found = {text for text in texts if text is not None}
    if not found:
        return
    values = None if kind == "classes" else _values(texts)
    if kind == "numbers" and values is None:
        raise ValueError(f"{name} holds {_example(found)!r}, which is no number")
    if kind == "auto" and _are_truths(name, found):
        named = {text: int(text.lower() in _YES) for text in found}
        _number_texts(labels, name, [f"not {name}", name], texts, named)
    elif values is not None and (kind == "numbers" or not _are_codes(name, values)):
        labels.numbers[name] = _standardised(values)
    elif kind == "auto" and not asked and len(found) > _FEW and len(found) > len(texts) / 2:
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


def _rank(text: str) -> tuple[int, float, str]:
    """Numbers by their size, then other text by the alphabet."""
    try:
        value = float(text)
    except ValueError:
        return 1, 0, text
    return (0, value, text) if math.isfinite(value) else (1, 0, text)


def _example(found: set[str]) -> str:
    """One of the texts that is no number."""
    return sorted(found, key=_rank)[-1][:40]
