"""Hydra's search path: folders of pages that are not ours come first, each page checked.

Such a page may be a stranger's. It may set what a run computes and nothing of Hydra, whose
settings name code to run and places to write; it may look at other settings, and not at the
environment. It is refused as it is loaded, before Hydra acts on anything.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import GrammarParseError
from omegaconf.grammar.gen.OmegaConfGrammarParser import OmegaConfGrammarParser
from omegaconf.grammar_parser import parse

from genlab.config.pages import HYDRAS
from genlab.config.scale import RESOLVERS as COMPUTED
from genlab.errors import ConfigError
from genlab.io.reading import read_text, read_yaml

SCHEME = "genlab"
_RESOLVERS = ("oc.select", "oc.dict.keys", "oc.dict.values")
_PACKAGE = re.compile(r"(_global_|_group_|_here_|\w+)(\.\w+)*")
_NAME = r"[^\s.,:${}\[\]()'\"]+"
_LONGEST = 300  # characters of a value with an interpolation
INTERPOLATIONS = 200  # of a page


class Growth:
    """Refuses pages that could grow without end: ten values that each name ten that each ...

    Values can multiply only where one names a container with interpolations in it. Whatever
    places the pages are put at, no interpolation of theirs may end with such a container's name.
    """

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._holding: set[str] = set()

    def add(self, file: Path, group: str, package: str | None, content: Any) -> None:
        """Note what a checked page names and holds; ConfigError where that could multiply."""
        for keys, text in _placed(content):
            if "${" in text:
                self._holding.update(keys)
                self._holding.update(re.split(r"[./]", f"{group}.{package or ''}".lower()))
                found = list(_interpolations(parse(text)))
                if _computed(found):  # of what is written there: it names no setting
                    continue
                (node,) = found
                parts = re.findall(_NAME, node.getText().lower())
                if not parts:
                    raise ConfigError(f"{file}: {text}: name the setting that it stands for")
                self._named.update(parts if isinstance(node, _Resolver) else parts[-1:])
        for entry in _entries(file, (content or {}).get("defaults", [])):
            self._holding.update(re.split(r"[.:]", entry.partition("@")[2].lower()))
        if both := sorted(self._named & self._holding - {""}):
            raise ConfigError(
                f"{file}: ${{...{both[0]}}} names settings of pages of your own that name others "
                "in turn, and could grow without end: give the value itself"
            )


class CheckedPages(FileConfigSource):
    """A folder of pages, in folders named for their groups, that Hydra loads after `check_page`."""

    growth: ClassVar[Growth] = Growth()  # of the pages of one call

    @staticmethod
    def scheme() -> str:
        """Hydra's hook: the start of such a folder's URL."""
        return SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        """Hydra's hook: the page, checked; ConfigError where it asks for too much."""
        if not self.is_config(config_path):
            raise ConfigLoadError(f"Config not found : {config_path}")
        file = Path(self.path, self._normalize_file_name(config_path))
        header = self._get_header_dict(read_text(file, ConfigError)[:512])
        content = read_yaml(file, ConfigError, may_interpolate=True)
        check_page(file, header["package"], content)
        self.growth.add(file, config_path.rpartition("/")[0], header["package"], content)
        config = OmegaConf.load(file)
        return ConfigResult(self.provider, self.full_path(), config, header)

    def is_group(self, config_path: str) -> bool:
        """Hydra's hook: whether there is such a folder, for another group than Hydra's."""
        return _inside(config_path) and super().is_group(config_path)

    def is_config(self, config_path: str) -> bool:
        """Hydra's hook: whether there is such a page, within a group."""
        return "/" in config_path and _inside(config_path) and super().is_config(config_path)

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Hydra's hook: the names in a group."""
        return super().list(config_path, results_filter) if _inside(config_path) else []


class UserPages(SearchPathPlugin):
    """Prepends `folders`, the first of which wins; the command line sets them for each call."""

    folders: ClassVar[list[Path]] = []

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Hydra's hook."""
        for folder in reversed(self.folders):
            search_path.prepend(provider="user", path=f"{SCHEME}://{folder}", anchor="main")


def check_page(file: Path, package: str | None, content: Any) -> None:
    """Raise ConfigError for a page that sets something of Hydra or looks at the environment."""
    if content is None:
        return
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: a page holds settings, KEY: VALUE")
    _check_package(file, package)
    if "hydra" in content:
        raise ConfigError(f"{file}: pages of your own may set {HYDRAS}")
    for entry in _entries(file, content.get("defaults", [])):
        if "${" in entry:
            raise ConfigError(f"{file}: defaults: {entry}: write the page's name")
        place, _, target = entry.partition("@")
        if "hydra" in re.split(r"[/\s]", place.removeprefix("override ")):
            raise ConfigError(f"{file}: defaults: {entry}: pages of your own may set {HYDRAS}")
        for part in target.split(":"):
            _check_package(file, part or None)
    texts = [text for text in _strings(content) if "${" in text]
    if len(texts) > INTERPOLATIONS:
        raise ConfigError(f"{file}: more than {INTERPOLATIONS} values with ${{...}}: write values")
    for text in texts:
        _check_interpolations(file, text)


def _check_package(file: Path, package: str | None) -> None:
    parts = (package or "_group_").split(".")
    if not _PACKAGE.fullmatch(".".join(parts)) or {"hydra", "_name_"} & set(parts):
        raise ConfigError(f"{file}: @{package}: pages of your own may set {HYDRAS}")


def _entries(file: Path, defaults: Any) -> Iterator[str]:
    """The groups and pages that a defaults list names, as they are written."""
    for entry in defaults if isinstance(defaults, list) else [defaults]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for group, names in entry.items():
                yield str(group)
                yield from (str(n) for n in (names if isinstance(names, list) else [names]))
        else:
            raise ConfigError(f"{file}: defaults must be a list of pages")


def _strings(node: Any) -> Iterator[str]:
    """Every string of nested containers, keys too."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _check_interpolations(file: Path, text: str) -> None:
    """Raise ConfigError unless the text interpolates other settings only."""
    refused = ConfigError(
        f"{file}: {text}: pages of your own may name other settings, as in ${{data.resolution}}, "
        "and nothing else: give the value itself"
    )
    if "\\${" in text:
        raise refused
    if len(text) > _LONGEST:
        raise ConfigError(f"{file}: a value with ${{...}} is too long: give the value itself")
    try:
        found = list(_interpolations(parse(text)))
    except (GrammarParseError, RecursionError) as error:
        raise refused from error
    if _computed(found):
        return
    if len(found) > 1 or any(
        isinstance(node, _Resolver) and node.resolverName().getText() not in _RESOLVERS
        for node in found
    ):
        raise refused


_Resolver = OmegaConfGrammarParser.InterpolationResolverContext
_Node = OmegaConfGrammarParser.InterpolationNodeContext


def _interpolations(tree: Any) -> Iterator[Any]:
    """The interpolations of a parsed string, inner ones too."""
    if isinstance(tree, _Resolver | _Node):
        yield tree
    for child in getattr(tree, "children", None) or []:
        yield from _interpolations(child)


def _computed(found: Sequence[Any]) -> bool:
    """Whether all interpolations are by `${scale:...}` and `${formula:...}`, of plain values."""
    return all(isinstance(n, _Resolver) and n.resolverName().getText() in COMPUTED for n in found)


def _placed(node: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string below containers, with the names of those; of a list's own items, its name."""
    if isinstance(node, str):
        yield keys, node
    elif isinstance(node, list):
        for value in node:
            yield from _placed(value, keys)
    elif isinstance(node, dict):
        for key, value in node.items():
            inner = keys if isinstance(value, str) else (*keys, str(key).lower())
            yield from _placed(value, inner)


def _inside(config_path: str) -> bool:
    """Whether the path stays in the folder of pages, and out of Hydra's groups."""
    parts = config_path.split("/")
    return ".." not in parts and parts[0].lower() != "hydra" and not config_path.startswith("/")
