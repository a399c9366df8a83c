"""Hints for words that are not known."""

import difflib
from collections.abc import Iterable, Sequence

from genlab.errors import ConfigError


def near_miss(word: str, known: Iterable[str]) -> str:
    """What to end a message with: "; " and the closest known words, or all where few, or ""."""
    words = sorted(set(known))
    if close := closest(word, words):
        return f"; did you mean {' or '.join(close)}?"
    return f"; known: {', '.join(words)}" if 0 < len(words) <= 40 else ""


def closest(word: str, known: Iterable[str]) -> list[str]:
    """Known words that may have been meant, the likeliest first."""
    return difflib.get_close_matches(word, sorted(set(known)), n=3, cutoff=0.6)


def one_of(key: str, word: object, known: Sequence[object]) -> None:
    """Raise ConfigError with the nearest word and the whole list unless `word` is known."""
    if word in known:
        return
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    listed = ", ".join(str(k).lower() if isinstance(k, bool) else str(k) for k in known)
    raise ConfigError(f"{key}={word} is not known: {hint}choose one of {listed}")
