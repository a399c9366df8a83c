"""What the settings of every command but `train` may be, as its page shows them."""

from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

from genlab.config.entries import check_numbers
from genlab.config.schema import check_seed, config_folder
from genlab.errors import ConfigError
from genlab.words import near_miss, one_of

FROM_0 = ("settle",)  # where 0 is none; others count from 1
MOST = 10_000_000  # of anything that is counted
SPLITS = ("train", "validation", "test")
_PATHS = ("run", "out", "image", "mask", "input")
_SEVERAL = ("image", "input", "mask")  # which take a list of paths
_COUNTS = ("count",)  # whole numbers where they are not null
# What the command itself reads, of several kinds.
_OWN = (
    *("labels", "seeds", "truncation", "index", "strengths", "strength", "devices", "methods"),
    *("tensorboard", "match", "path_samples", "runs"),
)
_FINITE = ("truncation", "strengths", "strength")  # which say what else they may be


def check_verb(verb: str, config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a setting that the page lacks, of another kind or out of range."""
    page: Any = OmegaConf.to_container(OmegaConf.load(config_folder() / f"{verb}.yaml"))
    known = {key: value for key, value in page.items() if key not in ("defaults", "hydra")}
    for key, value in config.items():
        if key not in known:
            raise ConfigError(f"{key}: no such setting{near_miss(key, known)}")
        if key not in _FINITE:
            check_numbers(key, value)
        if key == "seed":
            check_seed(value)
        elif value is None and known[key] in (None, "???"):
            continue
        elif key not in _OWN:
            _check(key, value, known[key])


def _check(key: str, value: Any, usual: Any) -> None:
    if isinstance(usual, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(usual, int) or key in _COUNTS:
        low = 0 if key in FROM_0 else 1
        fits = type(value) is int and low <= value <= MOST
        wanted = f"a whole number from {low} to {MOST:,}"
    elif key in _SEVERAL and isinstance(value, list):
        fits, wanted = all(isinstance(each, str) for each in value), "paths"
    elif isinstance(usual, list) or key == "metrics":
        fits = isinstance(value, list) and all(type(each) in (str, int) for each in value)
        wanted = f"a list, {key}=[ONE,OTHER]"
    else:
        fits, wanted = isinstance(value, str), "a path" if key in _PATHS else "a word"
    if not fits:
        raise ConfigError(f"{key}={value} must be {wanted}")
    if key == "split":
        one_of(key, value, SPLITS)
