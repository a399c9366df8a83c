"""Values of settings that look like secrets: kept out of what a run records and says."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "(not kept)"
"""What stands in a run's files where a secret stood."""

_WORDS = {"key", "keys", "apikey", "token", "secret", "secrets", "password", "passwd"}
_WORDS |= {"passphrase", "credential", "credentials"}
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TYPED = re.compile(r"([\w.@/+-]+)\s*[=:]\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s,{}\[\]'\"]+))")
_SHORTEST = 4  # characters: to hide shorter values would hide half of what is said

_known: set[str] = set()


def is_secret(key: object) -> bool:
    """Whether the last part of a dotted key names a secret: `api_key` does, `monkey` does not."""
    name = str(key).rpartition(".")[2]
    return any(part.lower() in _WORDS for part in _PARTS.findall(name))


def redacted(node: Any) -> Any:
    """Plain containers with `HIDDEN` in place of every secret, whose values are hidden from now.

    A value that other settings repeat (`${data.api_key}`) is hidden there, too.
    """
    return _hide_all(_without_secrets(node, secret=False))


def _without_secrets(node: Any, secret: bool) -> Any:
    if isinstance(node, Mapping):
        return {
            key: _without_secrets(value, secret or is_secret(key)) for key, value in node.items()
        }
    if isinstance(node, list):
        return [_without_secrets(value, secret) for value in node]
    if not secret or node is None or isinstance(node, bool) or node == HIDDEN:
        return node
    _remember(str(node))
    return HIDDEN


def _hide_all(node: Any) -> Any:
    if isinstance(node, dict):
        return {_hide_all(key): _hide_all(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_hide_all(value) for value in node]
    return hide(node) if isinstance(node, str) else node


def note(words: Iterable[str]) -> None:
    """Hide from now on what words of a command line give to secrets."""
    for word in words:
        key, _, value = word.partition("=")
        if is_secret(key):
            _remember(value.strip("'\""))
            for one in value.split(","):  # of a multirun
                _remember(one.strip(" '\""))
        for key, *values in _TYPED.findall(word):
            if is_secret(key):
                _remember(max(values, key=len))


def redacted_words(words: Iterable[str]) -> list[str]:
    """Words of a command line without the values of secrets."""
    found = list(words)
    note(found)
    return [_redacted(word) for word in found]


def _redacted(word: str) -> str:
    key, equals, _ = word.partition("=")
    return f"{key}={HIDDEN}" if equals and is_secret(key) else hide(word)


def hide(text: str) -> str:
    """The text with `HIDDEN` in place of every secret seen so far."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def forget() -> None:
    """Hide no value any longer."""
    _known.clear()


def hidden(node: Any, path: str = "", needed: bool = False) -> str | None:
    """Where `HIDDEN` is an argument of something to be built; None for nowhere."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, Mapping):
        items, needed = node.items(), needed or "_target_" in node
    elif isinstance(node, list):
        items = enumerate(node)
    elif node == HIDDEN and needed:
        return path
    for key, value in items:
        if found := hidden(value, f"{path}.{key}" if path else str(key), needed):
            return found
    return None


def _remember(value: str) -> None:
    if len(value) >= _SHORTEST and value not in ("null", "true", "false", HIDDEN):
        _known.add(value)
