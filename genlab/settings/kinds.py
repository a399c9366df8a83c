"""Kinds of values that settings can have: a check, its description in words, and a JSON schema."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genlab import bounds

MOST = 10_000_000  # largest count
LAST_SEED = 2**63 - 1
MOST_SEEDS = 100_000  # in a range


@dataclass(frozen=True)
class Kind:
    """The values that a setting accepts.

    Attributes:
        fits: whether a value is accepted.
        wanted: a description in words, as in "a whole number from 1 to 8".
        schema: the JSON schema.
        choices: the known words, of a value or of the entries of a list.
    """

    fits: Callable[[Any], bool]
    wanted: str
    schema: Mapping[str, Any]
    choices: tuple[str, ...] = ()

    @property
    def or_null(self) -> "Kind":
        """The same kind, or null."""
        schema = {"anyOf": [self.schema, {"type": "null"}]}
        return Kind(lambda v: v is None or self.fits(v), self.wanted, schema, self.choices)


def whole(low: int = 1, high: int = MOST) -> Kind:
    """Whole numbers from `low` to `high`."""
    return Kind(
        lambda value: type(value) is int and low <= value <= high,
        f"a whole number from {low:,} to {high:,}",
        {"type": "integer", "minimum": low, "maximum": high},
    )


def choice(*words: str) -> Kind:
    """One of the words."""
    return Kind(lambda value: value in words, _listed(words), {"enum": list(words)}, words)


def _listed(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def any_of(*kinds: Kind) -> Kind:
    """Values of any of the kinds."""
    return Kind(
        lambda value: any(kind.fits(value) for kind in kinds),
        " or ".join(kind.wanted for kind in kinds),
        {"anyOf": [kind.schema for kind in kinds]},
    )


def several(kind: Kind, named: str, example: str, least: int = 0) -> Kind:
    """A list of at least `least` values of a kind; `named` and `example` are for messages."""
    return Kind(
        lambda v: isinstance(v, list | tuple) and len(v) >= least and all(map(kind.fits, v)),
        f"a list of {named}: {example}",
        {"type": "array", "items": kind.schema, "minItems": least},
        kind.choices,
    )


def seeds_of(given: Any) -> list[int]:
    """The seeds of a setting: a number, a range "0-63" or a list of them; [] for null.

    ValueError for anything else, and for an empty list.
    """
    items = given if isinstance(given, list | tuple) else [] if given is None else [given]
    seeds: list[int] = []
    for item in items:
        ends = re.fullmatch(r"(\d+)(?:-(\d+))?", str(item))
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (0, -1)
        if not first <= last < min(first + MOST_SEEDS, LAST_SEED + 1):
            raise ValueError(f"{item} is neither a seed nor a range of seeds")
        seeds.extend(range(first, last + 1))
    if given is not None and not seeds:
        raise ValueError("there are no seeds")
    return seeds


def _are_seeds(value: Any) -> bool:
    try:
        return bool(seeds_of(value))
    except ValueError:
        return False


TRUTH = Kind(lambda v: isinstance(v, bool), "true or false", {"type": "boolean"})
TEXT = Kind(lambda v: isinstance(v, str), "text", {"type": "string"})
PATH = Kind(lambda v: isinstance(v, str) and v != "", "a path", {"type": "string", "minLength": 1})
PATHS = any_of(TEXT, several(TEXT, "paths", "[a.png,b.png]"))
SEED = whole(0, LAST_SEED)
NUMBER = Kind(bounds.is_finite, f"{bounds.FINITE}, such as 0.7", {"type": "number"})
NUMBERS = any_of(NUMBER, several(NUMBER, "numbers", "[0.5,1]", least=1))
SHARE = Kind(
    lambda v: bounds.is_finite(v) and 0 < v < 1,
    "a number between 0 and 1",
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
)
LABELS = Kind(
    lambda v: isinstance(v, Mapping) and all(isinstance(key, str) for key in v),
    "labels with a class each, such as {label:3}",
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "integer", "number", "boolean"]},
    },
)
SEEDS = Kind(
    _are_seeds,
    f"a range 0-63, a number or a list [1,5,9]; a range has at most {MOST_SEEDS:,}",
    {"type": ["integer", "string", "array"]},
)
