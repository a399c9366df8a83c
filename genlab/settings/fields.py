"""What the settings of a command are made of: kinds of values, and the dataclass that holds them.

A command's settings are one frozen dataclass derived from `Settings`. Each field says its default,
what it may be and, in one line, what it is for. From it come the help text, the check of a command
line, the JSON schema that editors use, and the arguments of the Python interface.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Self

from genlab import bounds
from genlab.errors import ConfigError
from genlab.words import near_miss, one_of

MOST = 10_000_000  # of anything that is counted
LAST_SEED = 2**63 - 1
MOST_SEEDS = 100_000  # in a range


@dataclass(frozen=True)
class Kind:
    """What a value may be.

    Attributes:
        fits: whether a value is one.
        wanted: the same in words, as in "a whole number from 1 to 8".
        schema: the same as a JSON schema.
        choices: the words that there are, of a value or of the entries of a list.
    """

    fits: Callable[[Any], bool]
    wanted: str
    schema: Mapping[str, Any]
    choices: tuple[str, ...] = ()

    @property
    def or_null(self) -> "Kind":
        """The same, or nothing."""
        schema = {"anyOf": [self.schema, {"type": "null"}]}
        return Kind(lambda v: v is None or self.fits(v), self.wanted, schema, self.choices)


def whole(low: int = 1, high: int = MOST) -> Kind:
    """Whole numbers."""
    return Kind(
        lambda value: type(value) is int and low <= value <= high,
        f"a whole number from {low:,} to {high:,}",
        {"type": "integer", "minimum": low, "maximum": high},
    )


def choice(*words: str) -> Kind:
    """One of some words."""
    return Kind(lambda value: value in words, _listed(words), {"enum": list(words)}, words)


def _listed(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def any_of(*kinds: Kind) -> Kind:
    """What one of the kinds holds."""
    return Kind(
        lambda value: any(kind.fits(value) for kind in kinds),
        " or ".join(kind.wanted for kind in kinds),
        {"anyOf": [kind.schema for kind in kinds]},
    )


def several(kind: Kind, named: str, example: str, least: int = 0) -> Kind:
    """A list of values of a kind."""
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
            raise ValueError(f"{item} is no seed and no range of seeds")
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

RENAMED = {"input": "image", "images": "image", "batch": "batch_size", "output": "out"}
"""Settings by names that they had, or have elsewhere."""
_MISSING: Any = object()


@dataclass(frozen=True)
class _About:
    """What a field says of itself, in its metadata."""

    kind: Kind
    doc: str
    shown: str
    needed: bool


def setting(kind: Kind, doc: str, default: Any = _MISSING, shown: str = "") -> Any:
    """A field: what it may be, what it is for, its default (none: it has to be given).

    `shown` is an example for the help text where the default is none.
    """
    needed = default is _MISSING
    about = _About(kind, doc, shown, needed)
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata={"about": about})
    return field(default=None if needed else default, metadata={"about": about})


def run() -> Any:
    """The run that a command works with."""
    return setting(PATH.or_null, "last (the newest run), or the path of a run folder", None, "last")


def count(default: int | None, doc: str) -> Any:
    """How many of something."""
    return setting(whole() if default is not None else whole().or_null, doc, default, "1000")


def seed(doc: str) -> Any:
    """The seed of something random."""
    return setting(SEED, doc, 0)


def split(doc: str = "the part of the data") -> Any:
    """A part of the data set."""
    return setting(choice("train", "validation", "test"), doc, "test")


def batch_size(default: int = 250) -> Any:
    """How many images are worked on at a time."""
    return setting(whole(), "images at a time: fewer take less memory", default)


def accelerator() -> Any:
    """Where a command computes."""
    return setting(choice("auto", "cpu", "gpu", "mps"), "where to compute", "auto")


def out(where: str) -> Any:
    """Where results go."""
    return setting(TEXT.or_null, f"where results go (default: {where})", None, "PATH")


def overwrite() -> Any:
    """Whether files are replaced."""
    return setting(
        TRUTH,
        "true replaces files that are there, but never an original. In the run folder what is "
        "made without images of yours is replaced anyway",
        False,
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one command; ConfigError, which names every misfit, for other values.

    Attributes:
        command: the word after `genlab`.
        summary: what it does, on one line.
        usage: what follows the command in the first lines of its help.
        notes: what else its help says.
    """

    command: ClassVar[str]
    summary: ClassVar[str]
    usage: ClassVar[tuple[str, ...]] = ("run=last|PATH [KEY=VALUE ...]",)
    notes: ClassVar[str] = ""

    def __post_init__(self) -> None:
        problems = list(self._misfits({f.name: getattr(self, f.name) for f in fields(self)}))
        if problems:
            raise ConfigError("; ".join(problems))

    @classmethod
    def read(cls, given: Mapping[str, Any], without: Sequence[str] = ()) -> Self:
        """The settings that are given by name; others, and those `without`, have their defaults."""
        known = [each.name for each in fields(cls) if each.name not in without]
        problems = [no_such_setting(key, known) for key in given if key not in known]
        known_ones = {key: value for key, value in given.items() if key in known}
        problems += cls._misfits(known_ones)
        if problems:
            raise ConfigError("; ".join(problems))
        return cls(**known_ones)

    @classmethod
    def _misfits(cls, given: Mapping[str, Any]) -> Iterator[str]:
        for name, about in abouts(cls).items():
            value = given.get(name, default_of(cls, name))
            if about.needed and value is None:
                yield f"{name}= is missing: {about.doc}"
            elif name in given and not about.kind.fits(value):
                yield _misfit(name, value, about.kind)


def no_such_setting(name: str, known: Sequence[str]) -> str:
    """What to say of a setting that a command does not have."""
    if RENAMED.get(name) in known:
        return f"{name}: this setting is called {RENAMED[name]}=: use that"
    return f"{name}: no such setting{near_miss(name, known)}"


def _misfit(name: str, value: Any, kind: Kind) -> str:
    for word in value if isinstance(value, list) else [value]:
        if kind.choices and isinstance(word, str) and word not in kind.choices:
            try:
                one_of(name, word, kind.choices)
            except ConfigError as error:
                return str(error)
    return f"{name}={_typed(value)[:60]} must be {kind.wanted}"


def _typed(value: Any) -> str:
    """A value as it is typed on a command line."""
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    return (
        str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
    )


def abouts(settings: type[Settings]) -> dict[str, _About]:
    """What every setting says of itself, by name."""
    return {each.name: each.metadata["about"] for each in fields(settings)}


def default_of(settings: type[Settings], name: str) -> Any:
    """The value that a setting has where it is not given."""
    (found,) = (each for each in fields(settings) if each.name == name)
    return found.default if found.default_factory is MISSING else found.default_factory()
