"""Pages composed without a command line."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from genlab.config.hydra_errors import explain
from genlab.config.pages import config_folder
from genlab.config.schema import register_schema
from genlab.errors import ConfigError

_composing = threading.Lock()  # Hydra's state is the process's


def composed(words: Sequence[str]) -> DictConfig:
    """The config of `genlab train` with these overrides; ConfigError for words of no use."""
    try:
        return compose("train", list(words))
    except Exception as error:
        if not type(error).__module__.startswith(("hydra", "omegaconf")):
            raise
        raise ConfigError(explain(error, ["train", *words])) from error


@contextmanager
def hydra() -> Iterator[None]:
    """Hydra with our pages, and afterwards as it was: others may use it, too."""
    with _composing:
        before = GlobalHydra.instance().hydra
        GlobalHydra.instance().clear()
        register_schema()
        try:
            with initialize_config_dir(str(config_folder()), version_base="1.3"):
                yield
        finally:
            GlobalHydra.instance().hydra = before
