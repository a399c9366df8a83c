"""`genlab models` and `genlab data`: the pages that can be selected, in their own words."""

import re
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra

from genlab.console import say
from genlab.errors import ConfigError
from genlab.io.reading import read_text


def run(config: dict[str, Any]) -> None:
    """Print name and description of every page of the group, the user's own included."""
    group, match = config["group"], str(config["match"])
    pages: dict[str, str] = {}
    for folder in _folders():
        for file in sorted((folder / group).glob("*.yaml")):
            pages.setdefault(file.stem, description(file))
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


def description(page: Path) -> str:
    """The first comment line of a page that is not a directive to Hydra."""
    for line in read_text(page, ConfigError).splitlines():
        if line.startswith("#") and "@package" not in line:
            return line.lstrip("# ").strip()
    return ""


def _folders() -> list[Path]:
    search_path = GlobalHydra.instance().config_loader().get_search_path()
    paths = [item.path or "" for item in search_path.get_path()]
    return [Path(re.sub("^(file|genlab)://", "", path)) for path in paths if path[:3] != "pkg"]
