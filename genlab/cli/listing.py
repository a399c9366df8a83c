"""`genlab models` and `genlab data`: the pages that can be selected, in their own words."""

from collections.abc import Sequence
from pathlib import Path

from genlab.config.pages import described
from genlab.config.scale import SIZES
from genlab.console import say
from genlab.errors import ConfigError


def show(group: str, match: str, folders: Sequence[Path]) -> None:
    """Print name and description of every page of a group (model, data), the first folder's first.

    Only those whose name or description contains `match`; ConfigError where there are none.
    """
    pages = described(group, folders)
    chosen = {
        name: text
        for name, text in sorted(pages.items())
        if match.lower() in f"{name} {text}".lower()
    }
    if not chosen:
        raise ConfigError(f"match={match} fits no page; all: {', '.join(sorted(pages))}")
    width = max(map(len, chosen))
    for name, text in chosen.items():
        say(f"{name:<{width}}  {text}")
    if group == "model":
        say("")
        say(f"GANs come in two sizes: {SIZES}")
