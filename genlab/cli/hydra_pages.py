"""The settings of commands as Hydra's pages, so that `-m` runs a command for several values."""

from typing import Any

from hydra.core.config_store import ConfigStore

from genlab.settings import settings_of
from genlab.settings.fields import abouts, default_of


def register(command: str, place: str) -> None:
    """Make the page of a command known to Hydra, whose own files of a multirun go to `place`."""
    settings = settings_of(command)
    page: dict[str, Any] = {name: default_of(settings, name) for name in abouts(settings)}
    page["defaults"] = [
        "_self_",
        {"override hydra/job_logging": "genlab"},
        {"override hydra/hydra_logging": "genlab"},
    ]
    folders = {"run": {"dir": "."}, "sweep": {"dir": place}, "output_subdir": None}
    page["hydra"] = {"job": {"name": command}, **folders}
    ConfigStore.instance().store(name=command, node=page, provider="genlab")
