"""Parts of a config as dataclasses: which settings they have, and how they are read."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from genlab.config.targets import type_misfits
from genlab.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Tree = dict[str, Any]
"""Plain containers, as YAML gives them."""
T = TypeVar("T", bound="DataclassInstance")


def names_of(kind: type) -> tuple[str, ...]:
    """The settings of a part, or of the whole."""
    return tuple(each.name for each in fields(kind) if each.name != "plain")


def needed_by(kind: type) -> tuple[str, ...]:
    """Those that have no default."""
    with_default = {
        each.name
        for each in fields(kind)
        if each.default is not MISSING or each.default_factory is not MISSING
    }
    return tuple(name for name in names_of(kind) if name not in with_default)


def read_part(kind: type[T], given: Any, path: str = "", plain: Tree | None = None) -> T:
    """A dataclass with the entries that it knows; ConfigError for missing ones and other types.

    It is told all entries as its `plain`, where it has one: those given, or the ones named so here.
    """
    if not isinstance(given, dict):
        raise ConfigError(f"{path}={str(given)[:40]} must hold settings")
    if missing := [name for name in needed_by(kind) if name not in given]:
        raise ConfigError(f"{path or 'the config'} lacks {', '.join(missing)}")
    trees = {each.name for each in fields(kind) if each.type == Tree}
    for name in trees & set(names_of(kind)) & set(given):
        if not isinstance(given[name], dict):
            raise ConfigError(f"{path}.{name}".lstrip(".") + " must hold settings")
    known = {name: given[name] for name in names_of(kind) if name in given}
    values = {name: v for name, v in known.items() if name not in trees and not is_dataclass(v)}
    if problems := list(type_misfits(kind, values, path)):
        raise ConfigError("; ".join(problem.removeprefix(".") for problem in problems))
    if "plain" in trees:
        known["plain"] = given if plain is None else plain
    return kind(**known)


def flatten(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a plain container with its dotted path."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from flatten(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, node
