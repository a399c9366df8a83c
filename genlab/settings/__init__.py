"""The settings of every command: one dataclass each, the source of help, checks and schemas."""

import importlib
import inspect

from genlab.settings.fields import Settings

COMMANDS = (
    "sample",
    "reconstruct",
    "encode",
    "interpolate",
    "mix",
    "edit",
    "project",
    "upscale",
    "inpaint",
    "translate",
    "score",
    "visualise",
    "evaluate",
    "compare",
    "runs",
    "models",
    "data",
)


def settings_of(command: str) -> type[Settings]:
    """The dataclass of a command."""
    module = importlib.import_module(f"genlab.settings.{command}")
    (found,) = (
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Settings) and kind.__module__ == module.__name__
    )
    return found
