"""Ranges of arguments: every number that is out of its range is refused where it is given.

Each function takes values by their names and raises a ValueError that names the first one that does
not fit, and the bound. None means that a setting is not used and always fits; of a list every
entry has to fit, and of a schedule every value that it can take. NaN, infinity and truth values
are never numbers.
"""

from collections.abc import Callable, Iterator
from typing import Any

LARGEST = 2**53  # whole numbers up to here are the same as a float
WIDEST = 2**16  # of a layer
DEEPEST = 1000  # layers
FASTEST = 100  # learning rate, and factor of one: a hundred times what any optimizer starts from
RAREST = 1000  # steps from one of a kind to the next, and steps of a player in its turn
WHITE_LEVEL = 2**16 - 1  # the value of white in images of 16 bits
FINITE = "a finite number of at most 3.4e38"


def finite(**values: Any) -> None:
    """Finite numbers."""
    _require(lambda value: True, FINITE, values)


def at_least(low: float, **values: Any) -> None:
    """Finite numbers from `low` on."""
    _require(lambda value: value >= low, f"at least {low:g}", values)


def above(low: float, **values: Any) -> None:
    """Finite numbers above `low`."""
    _require(lambda value: value > low, f"above {low:g}", values)


def within(low: float, high: float, **values: Any) -> None:
    """Numbers from `low` to `high`."""
    _require(lambda value: low <= value <= high, f"from {low:g} to {high:g}", values)


def between(low: float, high: float, **values: Any) -> None:
    """Numbers above `low` and below `high`."""
    _require(lambda value: low < value < high, f"above {low:g} and below {high:g}", values)


def whole(low: int, high: int = LARGEST, **values: Any) -> None:
    """Whole numbers from `low` to `high`."""
    _require(lambda value: isinstance(value, int), "a whole number", values)
    end = f"from {low} to {high:,}" if high < LARGEST else f"at least {low}"
    _require(lambda value: low <= value, end, values)
    _require(lambda value: value <= high, f"at most {high:,}", values)


def widths(**values: Any) -> None:
    """Whole numbers that a layer can have as its width, or lists of them for several layers."""
    for name, value in values.items():
        if isinstance(value, list | tuple) and len(value) > DEEPEST:
            raise ValueError(f"{name} has {len(value):,} layers, at most {DEEPEST:,} are possible")
    whole(1, WIDEST, **values)


def depths(low: int = 1, **values: Any) -> None:
    """Whole numbers that a network can have as its number of layers."""
    whole(low, DEEPEST, **values)


def is_finite(value: Any) -> bool:
    """Whether the value is a number that single precision holds, and no NaN."""
    return type(value) in (int, float) and -_FLOATS < value < _FLOATS


_FLOATS = 3.4028235e38  # of single precision


def _require(fits: Callable[[Any], bool], wanted: str, values: dict[str, Any]) -> None:
    for name, value in values.items():
        wrong = [part for part in _parts(value) if not (is_finite(part) and fits(part))]
        if wrong:
            shown = wrong[0] if callable(value) else value
            raise ValueError(f"{name}={shown} must be {wanted}")


def _parts(value: Any) -> Iterator[Any]:
    """The numbers that have to fit."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _parts(entry)
    elif callable(value):  # a schedule; one of somebody else's may not know its values
        yield from getattr(value, "ends", ())
    elif value is not None:
        yield value
