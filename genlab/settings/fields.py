"""The base class of commands' settings, and the fields that several commands share.

A command's settings are a frozen dataclass derived from `Settings`. Each field has a default, a
kind of values and a description in one line. The help text, the check of a command line, the JSON
schema for editors and the arguments of the Python interface are made from them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Self

from genlab.errors import ConfigError
from genlab.settings.kinds import PATH, SEED, TEXT, TRUTH, Kind, choice, whole
from genlab.words import near_miss, one_of

RENAMED = {"input": "image", "images": "image", "batch": "batch_size", "output": "out"}
"""Current names of settings by older or alternative ones."""
_MISSING: Any = object()


@dataclass(frozen=True)
class _About:
    """The description of a field, in its metadata."""

    kind: Kind
    doc: str
    shown: str
    needed: bool


def setting(kind: Kind, doc: str, default: Any = _MISSING, shown: str = "") -> Any:
    """A field of a settings dataclass.

    Args:
        kind: accepted values.
        doc: what the setting does, in one line.
        default: without one the setting is required.
        shown: an example for the help text, if the default is null.
    """
    needed = default is _MISSING
    about = _About(kind, doc, shown, needed)
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata={"about": about})
    return field(default=None if needed else default, metadata={"about": about})


def run() -> Any:
    """The run that a command uses."""
    return setting(PATH.or_null, "last (the newest run), or the path of a run folder", None, "last")


def count(default: int | None, doc: str) -> Any:
    """A number of images, paths and so on."""
    return setting(whole() if default is not None else whole().or_null, doc, default, "1000")


def seed(doc: str) -> Any:
    """A random seed."""
    return setting(SEED, doc, 0)


def split(doc: str = "the part of the data") -> Any:
    """A part of the data set."""
    return setting(choice("train", "validation", "test"), doc, "test")


def batch_size(default: int = 250) -> Any:
    """The batch size."""
    return setting(whole(), "images in each batch: fewer take less memory", default)


def accelerator() -> Any:
    """The device of a command."""
    return setting(choice("auto", "cpu", "gpu", "mps"), "the device to compute on", "auto")


def out(where: str) -> Any:
    """The place of results."""
    return setting(TEXT.or_null, f"file or folder for results (default: {where})", None, "PATH")


def overwrite() -> Any:
    """Whether existing files are replaced."""
    return setting(
        TRUTH,
        "true: replace existing files, but never an original. Results in the run folder that "
        "do not depend on your images are always replaced",
        False,
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one command; raises ConfigError, which names all invalid values.

    Attributes:
        command: the word after `genlab`.
        summary: what it does, in one line.
        usage: what follows the command in the usage lines of its help.
        notes: further help.
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
        """Settings from values by name; those `without` are unknown and keep their defaults."""
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
    """The message for a setting that a command does not have."""
    if RENAMED.get(name) in known:
        return f"{name}: this setting is named {RENAMED[name]}= here"
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
    """A value as typed on the command line."""
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    return (
        str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
    )


def abouts(settings: type[Settings]) -> dict[str, _About]:
    """The descriptions of all settings, by name."""
    return {each.name: each.metadata["about"] for each in fields(settings)}


def default_of(settings: type[Settings], name: str) -> Any:
    """The default of a setting."""
    (found,) = (each for each in fields(settings) if each.name == name)
    return found.default if found.default_factory is MISSING else found.default_factory()
