"""Words for people: hints for those that are not known, and text that is safe to print."""

import difflib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from genlab.errors import ConfigError

_JOINERS = "\u200c\u200d"  # part of words of many scripts
_OBEYED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode's categories


def near_miss(word: str, known: Iterable[str]) -> str:
    """What to end a message with: "; " and the closest known words, or all where few, or ""."""
    words = sorted(set(known))
    if close := closest(word, words):
        return f"; did you mean {' or '.join(close)}?"
    return f"; known: {_listed(words)}" if 0 < len(words) <= 40 else ""


def closest(word: str, known: Iterable[str]) -> list[str]:
    """Known words that may have been meant, the likeliest first."""
    return difflib.get_close_matches(word, sorted(set(known)), n=3, cutoff=0.6)


def one_of(key: str, word: object, known: Sequence[object]) -> None:
    """Raise ConfigError with the nearest word and the whole list unless `word` is known."""
    if any(word == each and type(word) is type(each) for each in known):
        return
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    names = [str(k).lower() if isinstance(k, bool) else str(k) for k in known]
    raise ConfigError(f"{key}={_short(word)} is not known: {hint}choose one of {_listed(names)}")


def shortened(message: str, most: int = 300) -> str:
    """The message without its middle, where it is longer: what is wrong and how to fix it stay.

    Whole parts between semicolons are left out where that is enough.
    """
    if len(message) <= most:
        return message
    first, *others = message.split("; ")
    for kept in (others[-2:], others[-1:]):
        shorter = "; ".join([first, "[...]", *kept])
        if len(others) > len(kept) and len(shorter) <= most:
            return shorter
    head = most // 2 - 5
    return f"{message[:head]} [...] {message[len(message) - (most - head - 7) :]}"


def _listed(words: Sequence[str], most: int = 150) -> str:
    """As many words as have room, and how many there are in all."""
    listed = ", ".join(words)
    if len(listed) <= most:
        return listed
    return f"{listed[:most].rpartition(', ')[0]} ... ({len(words)} in all)"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def installing(extra: str) -> str:
    """The command that installs an optional part, from the checkout where there is one."""
    root = Path(__file__).resolve().parents[1]
    checkout = (root / "pyproject.toml").is_file()
    return f'pip install {"-e " if checkout else ""}"{root if checkout else "genlab"}[{extra}]"'


def printable(text: str) -> str:
    """The text on one line, with what terminals obey (control, direction) escaped as in Python."""
    return text if text.isprintable() else "".join(map(_printable, text))


def readable(name: str | Path) -> str:
    """A file's name as printable text: bytes that are no UTF-8 as \\xNN."""
    try:
        return printable(os.fsencode(name).decode("utf-8", "backslashreplace"))
    except UnicodeEncodeError:  # half of a pair of UTF-16, as JSON may hold: no name of a file
        return printable(str(name))


def base_name(path: Path) -> str:
    """The readable name of a file or folder, whatever links lead to it."""
    return readable(Path(os.path.realpath(path)).name)


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: 1 image, 2 images, 1,000 images."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def some(names: Sequence[str], most: int = 5) -> str:
    """The first of the names, and dots for more."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def one_paragraph(text: str) -> str:
    """The printable lines of a text, all but the first one indented."""
    return "\n    ".join(printable(line.expandtabs()) for line in text.split("\n"))


def _printable(letter: str) -> str:
    if letter in _JOINERS or unicodedata.category(letter) not in _OBEYED:
        return letter
    return letter.encode("unicode_escape").decode()
