"""Classes and functions that a page names with `_target_`, and arguments that do not fit them.

What may be named is held to a short list, so that a config from a stranger runs no code but ours
and torch's layers and optimizers.
"""

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from genlab.bounds import FASTEST
from genlab.errors import ConfigError
from genlab.words import closest, near_miss

CLASS_MODULES = (
    "genlab.networks",
    "genlab.objectives",
    "genlab.schedules",
    "genlab.learners",
    "genlab.remedies",
    "genlab.data",
    "torch.nn",
    "torch.optim",
)
FUNCTION_MODULES = ("genlab.objectives",)

_PLAIN = (int, float, str, bool, NoneType)


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
        public = [n for n, v in vars(module).items() if not n.startswith("_") and _allowed(v)]
        raise ConfigError(f"_target_ {target} does not exist{near_miss(name, public)}")
    if not _allowed(getattr(module, name)):
        raise refused
    return getattr(module, name)


def _allowed(found: Any) -> bool:
    home = getattr(found, "__module__", None) or ""
    if inspect.isclass(found):
        return _under(home, CLASS_MODULES)
    return inspect.isfunction(found) and _under(home, FUNCTION_MODULES)


def _under(module: str, roots: tuple[str, ...]) -> bool:
    return any(module == root or module.startswith(root + ".") for root in roots)


def misfits(target: Any, node: Mapping[str, Any], path: str) -> Iterator[str]:
    """What is wrong with the arguments that a page's node gives the class or function."""
    parameters = inspect.signature(target).parameters
    given = {key: value for key, value in node.items() if key not in ("_target_", "_partial_")}
    if not isinstance(node.get("_partial_", False), bool):
        yield f"{path}._partial_={node['_partial_']} must be true or false"
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [key for key in given if key not in parameters and not takes_any]
    typos = [key for key in unknown if closest(key, parameters)]
    strange = [key for key in unknown if key not in typos]
    for keys in (*([key] for key in typos), strange):
        if keys:
            hint = near_miss(keys[0], parameters)
            words = " ".join(f"'~{path}.{key}'" for key in keys)
            mend = "" if keys[0] in typos else f"; to leave out what a page sets: {words}"
            names = ", ".join([f"{path}.{keys[0]}", *keys[1:]])
            yield f"{names}: {target.__name__} takes no such argument{hint}{mend}"
    rate = given.get("lr") if target.__module__.startswith("torch.optim") else None
    if isinstance(rate, int | float) and not 0 < rate <= FASTEST:
        yield f"{path}.lr={rate} must be above 0 and at most {FASTEST}"
    if not node.get("_partial_"):
        for name, parameter in parameters.items():
            required = parameter.default is parameter.empty and parameter.kind not in (
                parameter.VAR_KEYWORD,
                parameter.VAR_POSITIONAL,
            )
            if required and name not in given:
                yield f"{path}: {target.__name__} needs {name}"
    yield from type_misfits(target, given, path)


def type_misfits(target: Any, given: Mapping[str, Any], path: str) -> Iterator[str]:
    """The arguments whose types are not those that the class or function declares."""
    try:
        hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    except NameError:  # some of torch's own cannot be resolved
        return
    parameters = inspect.signature(target).parameters
    for key, value in given.items():
        by_default = key in parameters and value is parameters[key].default
        filled = key == "classes" and value == "auto"  # by the data set's, later
        if hints.get(key) not in (None, Any) and not by_default and not filled:
            yield from _type_misfit(hints[key], value, f"{path}.{key}")


def _type_misfit(hint: Any, value: Any, path: str) -> Iterator[str]:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if isinstance(value, dict) and "_target_" in value:
        if not value.get("_partial_"):
            yield from _class_misfit(kinds, value["_target_"], path)
        return
    if isinstance(value, dict) and (inner := [k for k in kinds if _is_a_mapping(get_origin(k))]):
        for key, each in value.items():
            yield from _type_misfit(get_args(inner[0])[1], each, f"{path}.{key}")
        return
    if not any(_accepts(kind, value) for kind in kinds):
        if isinstance(value, dict) and value:
            yield f"{path} lacks its _target_"
            return
        names = " or ".join(dict.fromkeys(map(_named, kinds)))
        yield f"{path}={_shown(value)} should be of type {names}"


def _accepts(kind: Any, value: Any) -> bool:
    """Whether a value that is not built from a `_target_` is of the kind."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or isinstance(kind, TypeVar):
        return True
    if origin in (Union, UnionType):
        return any(_accepts(each, value) for each in inner)
    if kind is NoneType or value is None:
        return kind is NoneType and value is None
    if kind in _PLAIN:
        return type(value) is kind or (type(value) is int and kind is float)
    if origin is Literal:
        return value in inner
    if isinstance(value, dict) and "_target_" in value:  # its own arguments are looked at there
        return True
    if _is_a_list(origin) and isinstance(value, list):
        fixed = origin is tuple and Ellipsis not in inner
        each = inner if fixed else inner[:1] * len(value)
        return len(each) == len(value) and all(map(_accepts, each, value))
    if _is_a_mapping(origin) and isinstance(value, dict):
        return all(_accepts(inner[1], each) for each in value.values())
    return False


def _is_a_list(origin: Any) -> bool:
    return inspect.isclass(origin) and issubclass(origin, Sequence)


def _is_a_mapping(origin: Any) -> bool:
    return inspect.isclass(origin) and issubclass(origin, Mapping)


def _named(kind: Any) -> str:
    """The kind in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is NoneType:
        return "null"
    if origin in (Union, UnionType):
        return " or ".join(map(_named, inner))
    if origin is Literal:
        return " or ".join(map(str, inner))
    if _is_a_list(origin):
        fixed = origin is tuple and Ellipsis not in inner
        return f"list of {len(inner)}" if fixed else f"list of {_named(inner[0])}"
    if _is_a_mapping(origin):
        return f"mapping to {_named(inner[1])}"
    name = getattr(kind, "__name__", str(kind))
    return name if kind in _PLAIN else f"{name} (a mapping with its _target_)"


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _class_misfit(kinds: tuple[Any, ...], target: Any, path: str) -> Iterator[str]:
    """Whether instances of the target are of one of the kinds, as far as that can be told."""
    try:
        found = locate(target)
    except ConfigError:  # said already
        return
    if inspect.isclass(found) and all(map(inspect.isclass, kinds)):
        names = [kind.__name__ for kind in kinds if kind is not NoneType]
        if not any(_is_a(found, kind) for kind in kinds):
            yield f"{path}: {found.__name__} is not a {' or '.join(names)}"


def _is_a(found: type, kind: Any) -> bool:
    if not getattr(kind, "_is_protocol", False):
        return issubclass(found, kind)
    methods = [n for n, v in vars(kind).items() if inspect.isfunction(v) and n[0] != "_"]
    return all(hasattr(found, name) for name in methods)
