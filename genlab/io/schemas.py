"""What the content of a file must be, written as plain containers of kinds.

A dict of names stands for a mapping with these names at least (those that end in "?" may be
missing), its key `str` for all other names, a list of one schema for a list of any length.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Schema = Any

LONGEST = 200  # of a name
MOST = 10_000  # names of one mapping
MOST_ITEMS = 1_000_000  # of one list


class Kind(NamedTuple):
    """What a value may be, in words and as a test."""

    name: str
    holds: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 2**63)


NUMBER = Kind("a number", _is_number)
FINITE = Kind("a finite number", lambda value: _is_number(value) and math.isfinite(value))
COUNT = Kind("a whole number from 0", lambda v: type(v) is int and 0 <= v < 2**63)
TEXT = Kind("text", lambda value: isinstance(value, str))
MAPPING = Kind("a mapping", lambda value: isinstance(value, dict) and all(map(_is_name, value)))
ANY = Kind("anything", lambda value: True)


def misfit(content: Any, schema: Schema) -> str | None:
    """The first thing about the content that the schema does not allow, None where it fits."""
    return next(_misfits(content, schema, ""), None)


def checked(content: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The content; ValueError with the first thing about it that the schema does not allow."""
    if problem := misfit(content, schema):
        raise ValueError(problem)
    return content


def _misfits(content: Any, schema: Schema, place: str) -> Iterator[str]:
    named = place[:LONGEST] or "it"
    if isinstance(schema, Kind):
        if not schema.holds(content):
            yield f"{named} is not {schema.name}"
        return
    kind = list if isinstance(schema, list) else dict
    if not isinstance(content, kind):
        yield f"{named} is not {'a list' if kind is list else MAPPING.name}"
        return
    most = MOST_ITEMS if isinstance(content, list) else MOST
    if len(content) > most:
        yield f"{named} has {len(content):,} entries where {most:,} are the most"
        return
    if isinstance(content, list):
        for number, value in enumerate(content):
            yield from _misfits(value, schema[0], f"{place}[{number}]")
        return
    if not all(map(_is_name, content)):
        yield f"{named} has a name that is not text of 1 to {LONGEST} letters"
        return
    for key, part in schema.items():
        names = [n for n in content if n not in schema] if key is str else [key.removesuffix("?")]
        for name in names:
            below = f"{place}.{name}" if place else name
            if name in content:
                yield from _misfits(content[name], part, below)
            elif not key.endswith("?"):
                yield f"it lacks {below}"


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST
