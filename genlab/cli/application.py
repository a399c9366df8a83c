"""The Hydra application of each command."""

import importlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from genlab.cli import arguments, hydra_pages
from genlab.cli.search_path import CheckedPages, Growth, UserPages
from genlab.commands import user_paths
from genlab.config import documentation, pages
from genlab.config.hydra_errors import explain
from genlab.config.parts import Tree
from genlab.config.schema import register_schema
from genlab.console import wait
from genlab.errors import ConfigError
from genlab.processes import launch
from genlab.settings import settings_of


def run(verb: str, words: list[str]) -> None:
    """Run the verb's Hydra application, overrides first."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to main() instead of being printed
    _prepend_folders(pages.user_folders(words))
    words = [word for word in words if not word.startswith("--config-dir=")]  # checked instead
    sys.argv = [f"genlab {verb}", *words]
    failures: list[Exception] = []

    def task(page: DictConfig) -> float | None:
        try:
            if verb == "train":
                return _train(page)
            _use(verb, page)
        except Exception as error:  # Hydra would print lines of its own about it
            failures.append(error)
        return None

    folder = str(pages.config_folder())
    with _registered(verb, several="--multirun" in words), _told(verb, words):
        hydra.main(version_base="1.3", config_path=folder, config_name=verb)(task)()
    if failures:
        raise failures[0]


def schema_of_train(words: list[str], flags: list[str]) -> dict[str, Any]:
    """The settings of `genlab train` with these words, as a JSON schema with descriptions."""
    arguments.check("train", words)
    _prepend_folders(pages.user_folders(flags))
    return documentation.schema(_composed(words), words)


def _composed(words: list[str]) -> dict[str, Any]:
    """The config of `genlab train`, plain and not resolved; ConfigError for words of no use."""
    register_schema()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(pages.config_folder()), version_base="1.3"):
        try:
            plain = cast(Tree, OmegaConf.to_container(compose("train", overrides=words)))
        except HydraException as error:
            raise ConfigError(explain(error, ["train", *words])) from error
    return plain


@contextmanager
def _told(verb: str, words: list[str]) -> Iterator[None]:
    """With --cfg job of train: what Hydra prints, with a description of each setting."""
    if verb != "train" or "--cfg=job" not in words or any(w.startswith("--package") for w in words):
        yield
        return
    said = io.StringIO()
    with redirect_stdout(said):
        yield
    given = [word for word in words if not word.startswith("-")]
    print(documentation.annotated(said.getvalue(), _composed(given), given), end="")


@contextmanager
def _registered(verb: str, several: bool) -> Iterator[None]:
    """Make the verb's page known to Hydra, which writes nothing where the command runs.

    Of several jobs of a command other than train, Hydra's own files are gone at the end.
    """
    if verb == "train":
        register_schema()
        yield
        return
    with TemporaryDirectory(prefix="genlab-") if several else nullcontext(".") as place:
        hydra_pages.register(verb, place)
        yield


def _train(page: DictConfig) -> float | None:
    """The task of `genlab train`, once per job of a sweep."""
    if launch.rank() == 0:
        wait("loading")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from genlab.jobs import sweep

    return sweep.run_job(page)


def _use(command: str, page: DictConfig) -> None:
    """The task of every other command."""
    plain: Any = OmegaConf.to_container(page, resolve=True)
    settings = settings_of(command).read(plain)
    settings = user_paths.checked(settings)
    if launch.rank() == 0 and "run" in vars(settings):
        wait("loading")
    importlib.import_module(f"genlab.commands.{command}").run(settings)


def _prepend_folders(folders: Sequence[Path]) -> None:
    """Let the user's own pages extend and shadow the packaged ones."""
    for folder in folders:
        pages.check_folder(folder)
    UserPages.folders = list(folders)
    CheckedPages.growth = Growth()
    for plugin in (CheckedPages, UserPages):
        Plugins.instance().register(plugin)
