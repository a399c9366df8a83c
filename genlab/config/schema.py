"""The typed skeleton of a run, and `check` and `build` for everything a page composes."""

import functools
import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import field, fields, is_dataclass, make_dataclass
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from genlab.config.migration import migrated
from genlab.config.parts import flatten, needed_by
from genlab.config.run import Data, RunConfig
from genlab.config.scale import register_resolvers
from genlab.config.targets import locate, misfits
from genlab.errors import ConfigError
from genlab.processes import launch

_NEEDED = needed_by(RunConfig)
TRUTHS = ("allow_changes", "trainer.compile")
"""What is true or false. OmegaConf is not asked: it would take 1000 for true."""


_AS_THEY_ARE = (int, float, str, int | None, float | None, str | None)
"""Types that OmegaConf holds values to. What else there is it takes as it comes."""


def _skeleton(kind: type) -> type:
    """What OmegaConf merges pages into: the dataclass with values that can be set."""
    entries: list[tuple[str, Any, Any]] = []
    for each in fields(kind):
        if is_dataclass(each.type) and each.type is not Data:
            inner = _skeleton(cast(type, each.type))
            entries.append((each.name, inner, field(default_factory=inner)))
        elif each.name != "plain":
            needed = each.name in needed_by(kind)
            held = each.type if each.type in _AS_THEY_ARE else Any
            entries.append((each.name, held, MISSING if needed else each.default))
    return make_dataclass(kind.__name__, entries)


SKELETON = _skeleton(RunConfig)


def register_schema() -> None:
    """Make the skeleton, the name of a job and what pages compute known to Hydra."""
    OmegaConf.register_new_resolver("job", launch.job_name, replace=True)
    register_resolvers()
    ConfigStore.instance().store(name="run_schema", node=SKELETON)


def held_to_skeleton(content: Any) -> dict[str, Any]:
    """A stored config with the types of the skeleton; ConfigError where it is none.

    What the skeleton lacks is refused, what the config lacks stays away: a run may be older.
    """
    if not isinstance(content, dict):
        raise ConfigError("not the config of a run")
    if missing := [key for key in _NEEDED if key not in content]:
        raise ConfigError(f"not the config of a run, it lacks {', '.join(missing)}")
    if problem := _not_plain(content):
        raise ConfigError(problem)
    for key in ("model", "data", "encoder", "generator", "report"):
        value = content.get(key, {})
        if not isinstance(value, dict) and (key in _NEEDED or value is not None):
            raise ConfigError(f"{key}={str(value)[:40]} must hold settings")
    check_truths(content)
    content = migrated(content)
    try:
        merged = OmegaConf.merge(OmegaConf.structured(SKELETON), content)
        typed: Any = OmegaConf.to_container(merged)
    except OmegaConfBaseException as error:
        place = error.full_key or "the config"
        raise ConfigError(f"{place}: {str(error).splitlines()[0]}") from error
    return {key: _only(value, content[key]) for key, value in typed.items() if key in content}


def as_yaml(plain: Any) -> str:
    """Plain containers as the text of config.yaml."""
    return OmegaConf.to_yaml(OmegaConf.create(plain))


def _only(node: Any, keys: Any) -> Any:
    """The containers without what `keys` does not have."""
    if not isinstance(node, dict) or not isinstance(keys, dict):
        return node
    return {key: _only(value, keys[key]) for key, value in node.items() if key in keys}


def _not_plain(node: Any, place: str = "") -> str | None:
    """What no stored config holds: keys that are no words, other types, numbers without bound."""
    if isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(node, dict) and not isinstance(key, str):
                return f"{place or 'the config'} has the key {str(key)[:40]!r}, which is no name"
            if problem := _not_plain(value, f"{place}.{key}" if place else str(key)):
                return problem
        return None
    if node == "???":
        return f"{place} is missing"
    if isinstance(node, float) and not math.isfinite(node):
        return f"{place}={node} must be a finite number"
    if isinstance(node, int) and abs(node) >= 2**63:
        return f"{place} must be below 2**63"
    if not isinstance(node, (str, int, float, type(None))):
        return f"{place} is of type {type(node).__name__}, which no setting has"
    return None


def check_truths(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a setting of another kind than true or false."""
    for key, value in flatten(config):
        if key in TRUTHS and not isinstance(value, bool):
            raise ConfigError(f"{key}={str(value)[:40]} must be true or false")


def check_seed(seed: Any) -> None:
    """Raise ConfigError unless every generator takes the seed."""
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise ConfigError(f"seed={seed} must be a whole number from 0 to 2**63 - 1")


def check(config: Mapping[str, Any]) -> None:
    """Bind every `_target_` of model and data to its signature; one ConfigError has all misfits."""
    problems = [p for key in ("model", "data") for p in _problems(config.get(key), key)]
    if problems:
        raise ConfigError("; ".join(problems))


def build(node: Any, path: str) -> Any:
    """Build what a checked plain container describes, children first.

    `_partial_: true` gives a function of the missing arguments. A constructor's ValueError,
    TypeError or AttributeError becomes a ConfigError with the path, also where it is called later,
    and so does a function's ValueError.
    """
    if isinstance(node, list):
        return [build(value, f"{path}[{i}]") for i, value in enumerate(node)]
    if not isinstance(node, dict):
        return node
    arguments = {
        key: build(value, f"{path}.{key}")
        for key, value in node.items()
        if key not in ("_target_", "_partial_")
    }
    if "_target_" not in node:
        return arguments
    target = locate(node["_target_"])
    if not node.get("_partial_"):
        return _construct(target, path, **arguments)
    call = _construct if inspect.isclass(target) else _call
    return functools.partial(call, target, path, **arguments)


def _construct(target: Any, path: str, /, *positional: Any, **arguments: Any) -> Any:
    try:
        return target(*positional, **arguments)
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise ConfigError(_placed(path, error, arguments)) from error
    except RuntimeError as error:
        if target.__module__.startswith("torch.optim"):  # settings that exclude each other
            raise ConfigError(_placed(path, error, arguments)) from error
        raise


def _call(target: Any, path: str, /, *positional: Any, **arguments: Any) -> Any:
    try:
        return target(*positional, **arguments)
    except ValueError as error:
        raise ConfigError(_placed(path, error, arguments)) from error


def _placed(path: str, error: Exception, arguments: Mapping[str, Any]) -> str:
    """The message behind its place: where it begins with an argument, the setting to type."""
    told = str(error)
    return f"{path}.{told}" if told.partition("=")[0] in arguments else f"{path}: {told}"


def _problems(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from _problems(value, f"{path}[{index}]")
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        yield from _problems(value, f"{path}.{key}")
    if "_target_" not in node:
        return
    try:
        target = locate(node["_target_"])
    except ConfigError as error:
        yield f"{path}: {error}"
        return
    yield from misfits(target, node, path)
