"""The typed skeleton of a run, and `check` and `build` for everything a page composes.

A page names classes and functions with `_target_`. What may be named is held to a short list, so
that a config from a stranger runs no code but ours and torch's layers and optimizers.
"""

import functools
import importlib
import inspect
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from genlab.errors import ConfigError
from genlab.words import near_miss

CLASS_MODULES = (
    "genlab.networks",
    "genlab.objectives",
    "genlab.schedules",
    "genlab.learners",
    "genlab.data",
    "torch.nn",
    "torch.optim",
)
FUNCTION_MODULES = ("genlab.objectives",)


@dataclass
class Trainer:
    """Where and how a run computes."""

    accelerator: str = MISSING
    devices: Any = MISSING
    num_nodes: int = MISSING
    precision: str = MISSING
    channels_last: Any = MISSING
    compile: bool = MISSING


@dataclass
class Checkpoint:
    """When a run saves."""

    every_images: int | None = None
    every_minutes: float | None = None
    keep: int = 2


@dataclass
class Samples:
    """The grids of pictures."""

    every_images: int = MISSING
    count: int = MISSING


@dataclass
class Log:
    """The rows of metrics."""

    every_images: int = MISSING
    validate_every_images: int = MISSING


@dataclass
class Run:
    """Everything that `genlab train` needs to know."""

    model: Any = MISSING
    data: Any = MISSING
    trainer: Trainer = field(default_factory=Trainer)
    encoder: Any = None
    report: Any = None
    seed: int = MISSING
    total_images: int = MISSING
    max_minutes: float | None = None
    resume: str | None = None
    allow_changes: bool = False
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    samples: Samples = field(default_factory=Samples)
    log: Log = field(default_factory=Log)


def register_schema() -> None:
    """Make the skeleton known to Hydra."""
    ConfigStore.instance().store(name="run_schema", node=Run)


def config_folder() -> Path:
    """The packaged pages: inside the package (a wheel) or beside it (a checkout)."""
    package = Path(__file__).resolve().parent
    for folder in (package / "configs", package.parent / "configs"):
        if folder.is_dir():
            return folder
    raise ConfigError(f"the config pages are missing beside {package}: install genlab again")


def user_folders(argv: Iterable[str]) -> list[Path]:
    """Folders of the user's own pages, first wins: --config-dir, then GENLAB_CONFIGS."""
    words = list(argv)
    named = [after for word, after in pairwise(words) if word in ("--config-dir", "-cd")]
    named += [word.split("=", 1)[1] for word in words if word.startswith("--config-dir=")]
    named += [name for name in os.environ.get("GENLAB_CONFIGS", "").split(os.pathsep) if name]
    folders = [Path(name).expanduser().resolve() for name in named]
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder of config pages")
    return folders


def flatten(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a plain container with its dotted path."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from flatten(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, node


def check(config: Mapping[str, Any]) -> None:
    """Bind every `_target_` of model and data to its signature; one ConfigError has all misfits."""
    problems = [p for key in ("model", "data") for p in _problems(config.get(key), key)]
    if problems:
        raise ConfigError("; ".join(problems))


def build(node: Any, path: str) -> Any:
    """Build what a checked plain container describes, children first.

    `_partial_: true` gives a function of the missing arguments. A constructor's ValueError or
    TypeError becomes a ConfigError with the path.
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
    if node.get("_partial_"):
        return functools.partial(target, **arguments)
    try:
        return target(**arguments)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def locate(target: Any) -> Any:
    """The class or function that a `_target_` names; ConfigError where it is not allowed."""
    if not isinstance(target, str) or not all(p.isidentifier() for p in str(target).split(".")):
        raise ConfigError(f"_target_ {target!r} is not a dotted name")
    module_name, _, name = target.rpartition(".")
    refused = ConfigError(
        f"_target_ {target} is refused: pages may name classes of {', '.join(CLASS_MODULES)} and "
        f"functions of {', '.join(FUNCTION_MODULES)}"
    )
    if not _under(module_name, CLASS_MODULES) or "._" in target:
        raise refused
    try:
        module = importlib.import_module(module_name)
    except ImportError:
        raise refused from None
    if not hasattr(module, name):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise ConfigError(f"_target_ {target} does not exist; {near_miss(name, public)}")
    found = getattr(module, name)
    home = getattr(found, "__module__", None) or ""
    if inspect.isclass(found) and _under(home, CLASS_MODULES):
        return found
    if inspect.isfunction(found) and _under(home, FUNCTION_MODULES):
        return found
    raise refused


def _under(module: str, roots: tuple[str, ...]) -> bool:
    return any(module == root or module.startswith(root + ".") for root in roots)


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
    yield from _misfits(target, node, path)


def _misfits(target: Any, node: dict[str, Any], path: str) -> Iterator[str]:
    parameters = inspect.signature(target).parameters
    given = {key: value for key, value in node.items() if key not in ("_target_", "_partial_")}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key in given:
        if key not in parameters and not takes_any:
            hint = near_miss(key, parameters)
            yield f"{path}.{key}: {target.__name__} takes no such argument; {hint}"
    if not node.get("_partial_"):
        for name, parameter in parameters.items():
            required = parameter.default is parameter.empty and parameter.kind not in (
                parameter.VAR_KEYWORD,
                parameter.VAR_POSITIONAL,
            )
            if required and name not in given:
                yield f"{path}: {target.__name__} needs {name}"
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for key, value in given.items():
        yield from _type_misfit(hints.get(key), value, f"{path}.{key}")


def _type_misfit(hint: Any, value: Any, path: str) -> Iterator[str]:
    if hint is float and isinstance(value, int):
        value = float(value)
    wrong = isinstance(value, bool) and hint in (int, float)
    if hint in (int, float, str, bool) and (wrong or not isinstance(value, hint)):
        yield f"{path}={value!r} should be of type {hint.__name__}"
