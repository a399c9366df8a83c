"""Composing configs and training runs from Python, with the checks of the command line."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from genlab.api.run import Run, load
from genlab.cli import arguments
from genlab.config import composing
from genlab.config.pages import config_folder, described
from genlab.config.run import RunConfig
from genlab.console import log_to
from genlab.jobs.prerequisites import with_runs_before
from genlab.jobs.sweep import resolved
from genlab.jobs.train import train as train_in_folder
from genlab.runs.run_folder import RunFolder, new_folder


def compose(
    model: str = "dcgan", data: str | None = None, overrides: Sequence[str] = ()
) -> dict[str, Any]:
    """The resolved config of a run, as plain dicts, after all checks of the command line.

    Args:
        model, data: pages, see `models` and `datasets`.
        overrides: further settings as on the command line, "data.resolution=32".

    Raises:
        ConfigError: there is no such page or setting, or a value is out of range.
    """
    with composing.hydra():
        return _composed(model, data, overrides).plain


def train(
    model: str = "dcgan",
    data: str | None = None,
    overrides: Sequence[str] = (),
    folder: str | Path | None = None,
    resume: bool = False,
) -> Run:
    """Train a run as `genlab train` does and load it: the same checks, errors and files.

    Args:
        model, data, overrides: see `compose`.
        folder: the run folder; None makes a new one in `runs`, named by date and model.
        resume: continue the run in the folder.
    """
    words = _words(model, data, overrides)
    with composing.hydra():
        config = _composed(model, data, overrides)
    place = Path(folder) if folder is not None else new_folder(_new(model))
    RunFolder(place).claim()
    try:
        with log_to(None, on_console=True):
            with composing.hydra():
                config, words = with_runs_before(config, words, place)
            train_in_folder(config, place, words, go_on=resume)
    finally:
        RunFolder(place).remove_if_empty()
    return load(place)


def models() -> dict[str, str]:
    """Descriptions of the model pages, by name."""
    return described("model", [config_folder()])


def datasets() -> dict[str, str]:
    """Descriptions of the data pages, by name."""
    return described("data", [config_folder()])


def _new(model: str) -> Path:
    return Path("runs") / f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{model}"


def _words(model: str, data: str | None, overrides: Sequence[str]) -> list[str]:
    chosen = [f"model={model}", *([] if data is None else [f"data={data}"])]
    return [*chosen, *(arguments.quoted(word) for word in overrides)]


def _composed(model: str, data: str | None, overrides: Sequence[str]) -> RunConfig:
    words = _words(model, data, overrides)
    arguments.check("train", words)
    return resolved(composing.composed(words))
