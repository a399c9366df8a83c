"""The words after a verb: flags known and behind the overrides, every override readable."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from genlab.errors import ConfigError
from genlab.settings import settings_of
from genlab.settings.fields import abouts, no_such_setting
from genlab.words import near_miss, one_of, printable, readable

PATH_KEYS = (
    "run",
    "runs",
    "resume",
    "out",
    "image",
    "mask",
    "data.path",
    "data.first",
    "data.second",
    "data.extra",
    "data.labels",
    "encoder.run",
    "generator.run",
    "hydra.run.dir",
    "hydra.sweep.dir",
)
_TEXTS = ("data.labels_from",)  # which are taken as they are typed
_LISTS = ("runs", "image", "mask")  # which take several paths, in brackets

# What is in quotes, or stands between the characters that have a meaning in values.
_WORDS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^'",:=\[\]{}()]+""")

_COUNTS = re.compile(
    r"(^|[._])(images|count|seed|seeds|steps|size|samples|codes|draws|tile|rows|columns|width)$"
)  # settings that are whole numbers
_LARGEST = 1e15  # whole numbers up to it are exact as floats
_EXPONENT = re.compile(r"(?<![\w.+-])\d+(?:\.\d+)?[eE]\+?\d{1,2}(?![\w.])")

_SHORT = {
    "-h": "--help",
    "-m": "--multirun",
    "-r": "--run",
    "-c": "--cfg",
    "-i": "--info",
    "-p": "--package",
    "-cd": "--config-dir",
}
_ALONE = ("--help", "--hydra-help", "--multirun", "--run", "--resolve")
# What follows a flag: one of these words, or anything.
_WITH_VALUE: dict[str, tuple[str, ...]] = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    "--package": (),
    "--config-dir": (),
}
FLAGS = (*_ALONE, *_WITH_VALUE, "--debug", "--version")
_EXCLUSIVE = ("--run", "--multirun", "--cfg", "--info")
_DELETABLE = ("model.", "data.", "encoder.", "generator.", "report", "experiment", "hydra")


class Arguments(NamedTuple):
    """Overrides as typed, and flags by their long names with values behind "="."""

    overrides: list[str]
    flags: list[str]


def read(words: Sequence[str]) -> Arguments:
    """Sort the words, since Hydra wants overrides in one row; ConfigError for unknown flags."""
    arguments = Arguments([], [])
    left = list(words)
    while left:
        word = left.pop(0)
        name = word.partition("=")[0]
        if word.startswith("-") and " " not in name:  # a sum may begin with a minus, too
            arguments.flags.append(_flag(word, left))
        else:
            arguments.overrides.append(word)
    names = [flag.partition("=")[0] for flag in arguments.flags]
    chosen = [name for name in _EXCLUSIVE if name in names]
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} do not go together: leave one of them out")
    if "--resolve" in names and not {"--cfg", "--help"} & set(names):
        raise ConfigError("--resolve needs --cfg job")
    return arguments


def quoted(override: str) -> str:
    """The override with a path, or a pattern, as its value quoted for Hydra, `~` expanded.

    Interpolations, null and what is quoted already stay as they are; so do lists of paths and all
    other values, but for words with letters that Hydra reads in quotes only, as in [日本].
    """
    key, equals, value = override.partition("=")
    name = key.lstrip("+")
    typed = not value or value[0] in "'\"" or "${" in value or value == "null"
    if name not in (*PATH_KEYS, *_TEXTS) or typed or (name in _LISTS and value[0] == "["):
        known = not equals or "${" in value or value.isascii()
        return override if known else f"{key}={_with_words_quoted(value)}"
    from hydra.core.override_parser.types import Quote, QuotedString

    is_home = name in PATH_KEYS and value.startswith("~")
    path = str(Path(value).expanduser()) if is_home else value
    return f"{key}={QuotedString(path, Quote.single).with_quotes()}"


def written_out(override: str) -> str:
    """The override with whole numbers in exponent form, as 1e5, in digits; text stays."""
    key, equals, value = override.partition("=")
    if not equals or not _COUNTS.search(key) or set(value) & set("'\"$("):
        return override

    def digits(found: re.Match[str]) -> str:
        number = float(found[0])
        return str(int(number)) if number.is_integer() and number < _LARGEST else found[0]

    return f"{key}={_EXPONENT.sub(digits, value)}"


def _with_words_quoted(value: str) -> str:
    """A value whose words with letters beyond ASCII are quoted for Hydra, unless they are."""
    from hydra.core.override_parser.types import Quote, QuotedString

    def quote(found: re.Match[str]) -> str:
        word = found[0].strip()
        names = value[found.end() : found.end() + 1] == ":"  # Hydra takes no quotes there
        if names or word[:1] in ("'", '"') or word.isascii():
            return found[0]
        return found[0].replace(word, QuotedString(word, Quote.single).with_quotes())

    return _WORDS.sub(quote, value)


def expression(word: str) -> str:
    """A word without a key as the setting `expression`, whose value is quoted for Hydra."""
    from hydra.core.override_parser.types import Quote, QuotedString

    key, equals, value = word.partition("=")
    if equals and (key != "expression" or value[:1] in ("'", '"') or value == "null"):
        return word
    text = value if equals else word
    return f"expression={QuotedString(text, Quote.single).with_quotes()}"


def unquoted(value: str) -> str:
    """What `quoted` made of a value, undone."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] in "'\"" else value


def resumed(overrides: Sequence[str]) -> str | None:
    """The run that resume= names, a path or "last"; None where no run goes on by name."""
    values = [word.partition("=")[2] for word in overrides if word.startswith("resume=")]
    named = unquoted(values[-1]) if values else "null"
    return None if named in ("null", "auto") else named


def check(verb: str, overrides: Sequence[str]) -> None:
    """Raise ConfigError for an override that cannot be read, or that deletes what is needed."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    for word in overrides:
        if verb == "train" and readable(word) != printable(word):
            raise ConfigError(
                f"{readable(word)}: a run's config is UTF-8, which this is not: rename it "
                "or name a link to it"
            )
        try:
            override = parser.parse_override(word)
        except HydraException as error:
            raise ConfigError(_unreadable(word)) from error
        key, value = override.key_or_group, override.value()
        if not key:
            raise ConfigError(_unreadable(word))
        if override.is_delete() and not (verb == "train" and key.startswith(_DELETABLE)):
            raise ConfigError(f"{word}: {key} cannot be left out: set it, {key}=VALUE")
        if verb == "train" and re.fullmatch(r"model\.sizes?(\..*)?", key):
            from genlab.config.scale import renamed_size

            raise ConfigError(renamed_size(key, value))
        if verb == "train":
            from genlab.config.migration import refuse_renamed

            refuse_renamed([key])
        pages = _pages(key) if verb == "train" else []
        named = all(isinstance(v, str) for v in (value if isinstance(value, list) else [value]))
        if pages and not override.is_delete() and not named:
            if override.is_sweep_override():
                continue
            raise ConfigError(f"{word}: no such page{near_miss(str(value), pages)}")


def check_names(command: str, overrides: Sequence[str]) -> None:
    """Raise ConfigError with every setting that a command other than train does not have."""
    known = list(abouts(settings_of(command)))
    names = [word.partition("=")[0].lstrip("+~") for word in overrides if "=" in word]
    unknown = [name for name in names if name not in known and not name.startswith("hydra")]
    if unknown:
        raise ConfigError("; ".join(no_such_setting(name, known) for name in unknown))


def _unreadable(word: str) -> str:
    key, equals, value = word.partition("=")
    if re.fullmatch(r"[\w.+@/]+", key) and not equals:
        return f"{word}: settings are given as KEY=VALUE"
    if re.search(r"[^\x00-\x7f][^'\":,]*:", value) or not key.isascii():
        return f"'{word}' cannot be read: names in front of = and : may have ASCII letters only"
    example = f"'{key}=\"{value}\"'" if equals and key.strip() else "'KEY=\"VALUE\"'"
    if value[:1] + value[-1:] in ("{}", "[]"):
        example = f"""'{key}={{NAME:"VALUE"}}'""" if value[0] == "{" else f"""'{key}=["VALUE"]'"""
    return (
        f"'{word}' cannot be read as KEY=VALUE: values with spaces, commas, = or brackets need "
        f"quotes inside the shell's, {example}"
    )


def _pages(group: str) -> list[str]:
    from genlab.config.pages import config_folder

    return [file.stem for file in (config_folder() / group).glob("*.yaml")] if group else []


def _flag(word: str, following: list[str]) -> str:
    """The flag by its long name, with a value that it takes from the words `following` it."""
    name, given, value = word.partition("=")
    name = _SHORT.get(name, name)
    if name in _ALONE and not given:
        return name
    if name not in _WITH_VALUE:
        raise ConfigError(f"{word}: no such flag{near_miss(name, FLAGS)}")
    choices = _WITH_VALUE[name]
    optional = name == "--info"
    if following and not given and (following[0] in choices if optional else True):
        value = following.pop(0)
    if not value and optional:
        return name
    if not value:
        raise ConfigError(f"{word} needs a value: {name} {'|'.join(choices) or 'VALUE'}")
    if choices:
        one_of(name, value, choices)
    return f"{name}={value}"
