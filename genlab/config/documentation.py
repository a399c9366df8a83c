"""What each setting of a run is for, from the comments of pages and the docstrings of classes.

Nothing that a config names is imported: sources are parsed.
"""

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from genlab.config.pages import config_folder
from genlab.errors import ConfigError
from genlab.io.reading import read_yaml

_PACKAGE = Path(__file__).resolve().parents[1]
_WIDTH = 100
_LINE = re.compile(r"(?P<indent>\s*)(?P<key>[\w.]+):(?P<value>[^#]*)(#\s*(?P<comment>.*))?$")
_OF_TORCH = {
    "lr": "learning rate",
    "betas": "decay rates of the running averages of the gradient and of its square",
    "eps": "added to the denominator",
    "weight_decay": "weight decay",
    "momentum": "momentum",
    "fused": "one fused kernel for all parameters, which is faster",
}


def documented(config: Mapping[str, Any], chosen: Sequence[str] = ()) -> dict[str, str]:
    """A description for the settings that have one, by dotted name.

    Args:
        config: a composed config, plain containers.
        chosen: selected pages, as in "model=vae": their comments count.
    """
    found = dict(_of_classes(config, ""))
    for name, comment in _comments(tuple(chosen)).items():
        if name not in found or not comment.startswith("see "):
            found[name] = comment
    return found


def annotated(text: str, config: Mapping[str, Any], chosen: Sequence[str] = ()) -> str:
    """A config as YAML with each setting's description, behind it or on lines above."""
    about = documented(config, chosen)
    lines, path = [], _Path()
    for line in text.splitlines():
        match = _LINE.match(line)
        told = about.get(path.at(match), "") if match else ""
        if told and len(line) + len(told) + 4 <= _WIDTH:
            lines.append(f"{line}  # {told}")
            continue
        indent = match["indent"] if match else ""
        lines += [f"{indent}# {part}" for part in textwrap.wrap(told, _WIDTH - len(indent) - 2)]
        lines.append(line)
    return "\n".join(lines) + "\n"


def schema(config: Mapping[str, Any], chosen: Sequence[str] = ()) -> dict[str, Any]:
    """The settings of a run as a JSON schema (draft 2020-12) with defaults and descriptions."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "genlab train",
        **_schema_of(config, "", documented(config, chosen)),
    }


def _schema_of(value: Any, name: str, about: Mapping[str, str]) -> dict[str, Any]:
    described = {"description": about[name]} if name in about else {}
    if isinstance(value, dict):
        properties = {
            str(key): _schema_of(inner, f"{name}.{key}".lstrip("."), about)
            for key, inner in value.items()
            if key not in ("_target_", "_partial_")
        }
        return {**described, "type": "object", "properties": properties}
    if value == "???":
        return described
    # What a setting may be beside its default, such as a schedule, the pages alone know.
    return {**described, "default": value}


class _Path:
    """The dotted name of the setting on each line of YAML, by the indents of those before."""

    def __init__(self) -> None:
        self._above: list[tuple[int, str]] = []

    def at(self, match: re.Match[str]) -> str:
        """The name of the setting on a line that `_LINE` fits."""
        indent = len(match["indent"])
        while self._above and self._above[-1][0] >= indent:
            self._above.pop()
        self._above.append((indent, match["key"]))
        return ".".join(key for _, key in self._above)


@cache
def _comments(chosen: tuple[str, ...]) -> dict[str, str]:
    """Comments on settings by dotted name, of the selected pages and of those they build on."""
    folder = config_folder()
    words = [word.partition("=") for word in chosen]
    groups = {group: page for group, _, page in words if (folder / group).is_dir()}
    found: dict[str, str] = {}
    for file in _pages(folder / "train.yaml", groups):
        lines = file.read_text().splitlines()
        group = "" if file.parent == folder else file.parent.name
        header = re.match(r"# @package (\S+)", lines[0])
        package = (header[1] if header else group).replace("_global_", "")
        for name, comment in _comments_in(lines):
            found.setdefault(f"{package}.{name}".lstrip("."), comment)
    return found


def _pages(file: Path, groups: Mapping[str, str]) -> Iterator[Path]:
    """A page, then those that it builds on: of the groups chosen, else of its own defaults."""
    if not file.is_file():
        return
    yield file
    content = read_yaml(file, ConfigError, may_interpolate=True) or {}
    for entry in content.get("defaults", []):
        pairs = entry.items() if isinstance(entry, dict) else [("", entry)]
        for key, name in pairs:
            group = str(key).removeprefix("override ").lstrip("/").partition("@")[0]
            place = config_folder() / group if group else file.parent
            names = groups[group].strip("[]").split(",") if group in groups else [name]
            for each in names if group in groups or not isinstance(name, list) else name:
                if group != "hydra" and each not in (None, "_self_"):
                    yield from _pages(place / f"{each}.yaml", groups)


def _comments_in(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names of settings and the comments behind them, which may go on below in their column."""
    path = _Path()
    name, comment, column = "", "", -1
    for line in [*lines, ""]:
        match = _LINE.match(line)
        if not match and column > 0 and line.find("#") == column and not line[:column].strip():
            comment += " " + line[column:].lstrip("# ").strip()
            continue
        if comment:
            yield name, comment
        name, comment, column = "", "", -1
        if match:
            name, comment, column = path.at(match), (match["comment"] or "").strip(), line.find("#")


def _of_classes(node: Any, name: str) -> Iterator[tuple[str, str]]:
    """What docstrings say of the arguments in a config, by dotted name."""
    if not isinstance(node, dict):
        return
    target = node.get("_target_")
    about = arguments_of(target) if isinstance(target, str) else {}
    for key, value in node.items():
        inner = f"{name}.{key}".lstrip(".")
        if key in about:
            yield inner, about[key]
        yield from _of_classes(value, inner)


@cache
def arguments_of(target: str) -> dict[str, str]:
    """What the docstring of a class or function, by dotted name, says of its arguments."""
    if target.startswith("torch."):
        return _OF_TORCH
    module, _, name = target.rpartition(".")
    return _arguments(module, name) if module.startswith("genlab") else {}


def _arguments(module: str, name: str) -> dict[str, str]:
    tree = _parsed(module)
    for node in tree.body if tree else []:
        if isinstance(node, ast.ImportFrom) and node.module:
            if any(alias.name == name for alias in node.names):
                return _arguments(node.module, name)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            found: dict[str, str] = {}
            for base in bases:
                if isinstance(base, ast.Name):
                    found |= _arguments(module, base.id)
            return found | dict(_described(ast.get_docstring(node) or ""))
    return {}


@cache
def _parsed(module: str) -> ast.Module | None:
    """The source of one of the package's modules; None for any other."""
    if module.split(".")[0] != "genlab":
        return None
    place = _PACKAGE.joinpath(*module.split(".")[1:])
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(file.read_text()) if file.is_file() else None


def _described(docstring: str) -> Iterator[tuple[str, str]]:
    """Arguments and what the part `Args` of a docstring says of each."""
    part = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)+)", docstring, re.MULTILINE)
    if not part:
        return
    for entry in re.split(r"\n(?=\S)", textwrap.dedent(part[1])):
        names, colon, about = entry.partition(":")
        if colon and re.fullmatch(r"\w+(, \w+)*", names):
            for name in names.split(", "):
                yield name, " ".join(about.split()).rstrip(".")
