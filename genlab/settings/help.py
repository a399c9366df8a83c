"""The help text and the JSON schema of a command's settings."""

import textwrap
from typing import Any

from genlab.settings.fields import Settings, abouts, default_of

_WIDTH = 100
_LEFT = 21  # columns for the names


def help_text(settings: type[Settings]) -> str:
    """The help of a command: its purpose, settings, notes and examples."""
    lines = [f"genlab {settings.command}: {settings.summary}", ""]
    for number, words in enumerate(settings.usage):
        lines.append(f"{'       ' if number else 'usage: '}genlab {settings.command} {words}")
    lines.append("")
    for name, about in abouts(settings).items():
        lines += _described(name, _example(settings, name), _meaning(about.doc, about.kind.choices))
    if settings.notes:
        lines += ["", settings.notes.rstrip()]
    return "\n".join(lines)


def _example(settings: type[Settings], name: str) -> str:
    about, default = abouts(settings)[name], default_of(settings, name)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return f"[{','.join(map(str, default))}]"
    return (about.shown or "PATH") if default is None else str(default)


def _meaning(doc: str, choices: tuple[str, ...]) -> str:
    missing = [word for word in choices if word not in doc]
    return f"{doc}: {', '.join(choices)}" if missing else doc


def _described(name: str, example: str, meaning: str) -> list[str]:
    left = f"  {name}={example}"
    indent = " " * _LEFT
    lines = textwrap.wrap(meaning, _WIDTH - _LEFT, break_on_hyphens=False)
    if len(left) < _LEFT:
        return [left.ljust(_LEFT) + lines[0], *(indent + line for line in lines[1:])]
    return [left, *(indent + line for line in lines)]


def json_schema(settings: type[Settings]) -> dict[str, Any]:
    """The settings as a JSON schema (draft 2020-12), for editors and other programs."""
    found = abouts(settings)
    properties = {
        name: {
            **about.kind.schema,
            "description": about.doc,
            **({} if about.needed else {"default": default_of(settings, name)}),
        }
        for name, about in found.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"genlab {settings.command}",
        "description": settings.summary,
        "type": "object",
        "properties": properties,
        "required": [name for name, about in found.items() if about.needed],
        "additionalProperties": False,
    }
