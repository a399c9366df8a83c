"""Entries of a config that nobody reads, and numbers that no setting can have."""

import re
from collections.abc import Mapping
from typing import Any

from genlab import bounds
from genlab.config.parts import names_of
from genlab.config.run import PAGE_OWN, PARTS, Data, RunConfig
from genlab.errors import ConfigError
from genlab.words import near_miss

# What a run is told besides its model and data, by part of the config.
_PARTS: dict[str, tuple[str, ...]] = {
    "": names_of(RunConfig),
    **{name: names_of(kind) for name, kind in PARTS.items() if kind is not Data},
}
_NEEDED = {
    "encoder": ("run", "page", "total_images", "pretrained", "layer"),
    "generator": ("run", "page", "total_images", "ratio"),
    "report": ("metric", "across", "curves"),  # or a table
}


def check_parts(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for settings outside of model and data that nobody reads."""
    for part, known in _PARTS.items():
        found = config.get(part) if part else config
        if found is None:
            continue
        needed = _NEEDED.get(part, ())
        if not isinstance(found, Mapping) or (
            "table" not in found and any(key not in found for key in needed)
        ):
            raise ConfigError(f"{part}={found} must be a mapping with {', '.join(needed)}, or null")
        if part == "report":
            _check_report(found)
        for key in found:
            if key not in known:
                name, *names = [f"{part}.{each}" if part else str(each) for each in (key, *known)]
                raise ConfigError(f"{name}: no such setting{near_miss(name, names)}")


def _check_report(report: Mapping[str, Any]) -> None:
    """Raise ConfigError for entries of another kind: names of metrics and settings."""
    for key, value in report.items():
        listed = key in ("table", "curves")
        names = value if listed and isinstance(value, list) else [None] if listed else [value]
        if not all(isinstance(each, str) for each in names):
            wanted = "a list of names" if listed else "a name"
            raise ConfigError(f"report.{key}={value} must be {wanted}")


def check_data(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for an entry of data that is neither known nor used by another setting.

    The config is one whose interpolations are not resolved yet.
    """
    used = set(re.findall(r"\$\{data\.(\w+)", str(config)))
    known = {*names_of(Data)} - {*PAGE_OWN}
    names = {f"data.{each}" for each in known | used}
    for name in (f"data.{key}" for key in config["data"]):
        if name not in names:
            raise ConfigError(f"{name}: no such setting{near_miss(name, names)}")


def check_numbers(path: str, value: Any) -> None:
    """Raise ConfigError for a number anywhere in the value that is NaN, infinite or enormous."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_numbers(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            check_numbers(path, inner)
    elif isinstance(value, float) and not bounds.is_finite(value):
        raise ConfigError(f"{path}={value} must be {bounds.FINITE}")
    elif isinstance(value, int) and not path.endswith("seed") and abs(value) > bounds.LARGEST:
        raise ConfigError(f"{path}={_short(value)} must be at most 2**53")


def _short(value: int) -> str:
    text = str(value) if value.bit_length() < 1000 else ""
    return text if 0 < len(text) <= 40 else "(a number too long to show)"
