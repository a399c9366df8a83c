"""Words chosen from a short list."""

import difflib
from collections.abc import Sequence

from genlab.errors import ConfigError


def one_of(key: str, word: str, known: Sequence[str]) -> str:
    """`word` itself if it is known; ConfigError with the nearest word and the whole list if not."""
    if word in known:
        return word
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ConfigError(f"{key}={word} is not known: {hint}choose one of {', '.join(known)}")
