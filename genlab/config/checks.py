"""What a run's settings may be, alone and together."""

import inspect
from collections.abc import Mapping
from typing import Any

from genlab import bounds
from genlab.config.entries import check_numbers, check_parts
from genlab.config.parts import Tree, flatten, needed_by
from genlab.config.run import Data, RunConfig
from genlab.config.scale import MEANING
from genlab.config.schema import check_seed, check_truths
from genlab.config.targets import locate
from genlab.data.source import Source
from genlab.errors import ConfigError
from genlab.learners import Learner
from genlab.words import one_of

_AT_LEAST_1 = (
    "total_images",
    "trainer.num_nodes",
    "trainer.timeout_seconds",
    "checkpoint.every_images",
    "checkpoint.keep",
    "log.every_images",
    "log.validate_every_images",
    "evaluate.every_images",
    "evaluate.count",
)
_AT_MOST = {"samples.count": 10_000, "trainer.num_nodes": 100_000}
_RUN_BEFORE: dict[str, tuple[type, ...]] = {
    "run": (str,),
    "page": (str,),
    "layer": (str,),
    "pretrained": (bool,),
    "total_images": (int,),
    "ratio": (float, int),
    "overrides": (list,),
}
_ABOVE_0 = ("max_minutes", "checkpoint.every_minutes")
PARTS = ("train", "validation", "evaluation")  # of metrics


def checked(plain: Tree) -> RunConfig:
    """The config of a resolved tree; ConfigError for values that no run can have."""
    check_values(plain)
    return RunConfig.read(plain)


def check_values(config: Tree) -> None:
    """Raise ConfigError for numbers out of their bounds, what is missing and what nobody reads."""
    check_parts(config)
    check_numbers("", config)
    check_truths(config)
    values = dict(flatten(config))
    check_seed(values["seed"])
    if "scale" in config:  # runs of older versions have none
        one_of("scale", config["scale"], tuple(MEANING))
    try:
        bounds.at_least(1, **{key: values[key] for key in _AT_LEAST_1})
        for key, most in _AT_MOST.items():
            bounds.whole(1, most, **{key: values[key]})
        bounds.above(0, **{key: values[key] for key in _ABOVE_0})
    except ValueError as error:
        raise ConfigError(str(error)) from error
    every = values["samples.every_images"]
    if every != "auto" and (type(every) is not int or every < 1):
        raise ConfigError(
            f"samples.every_images={str(every)[:40]} must be auto or a whole number of at least 1"
        )
    _check_objective(config)
    if missing := [key for key in needed_by(Data) if key not in config["data"]]:
        raise ConfigError(f"data lacks {', '.join(missing)} (see the packaged pages)")
    _check_kind("model", config["model"], Learner)
    _check_kind("data.source", config["data"]["source"], Source)
    _check_size(config)
    for name in ("encoder", "generator"):
        _check_run_before(name, config[name])


def _check_kind(path: str, node: Any, kind: type) -> None:
    """Raise ConfigError unless the node describes an instance of the kind."""
    found = locate(node.get("_target_")) if isinstance(node, dict) else None
    if not (inspect.isclass(found) and issubclass(found, kind)):
        raise ConfigError(f"{path}: its _target_ must be a {kind.__name__}")


def _check_size(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a part of the model that is made for images of another size."""
    for path, value in flatten(config["model"]):
        name = path.rpartition(".")[2]
        if name in ("resolution", "channels") and value != config["data"][name]:
            raise ConfigError(
                f"model.{path}={value}: all parts follow data.{name}={config['data'][name]}; set it"
            )


def _check_run_before(kind: str, wanted: Any) -> None:
    """Raise ConfigError for settings of a run to build on that are of another type."""
    if not wanted:
        return
    needed = ("run", "page", *(("ratio",) if kind == "generator" else ("layer", "pretrained")))
    if missing := [key for key in needed if key not in wanted]:
        raise ConfigError(f"{kind} lacks {', '.join(missing)}")
    for key, kinds in _RUN_BEFORE.items():
        value = wanted.get(key)
        if value is not None and type(value) not in kinds:
            raise ConfigError(f"{kind}.{key}={str(value)[:40]} must be of type {kinds[0].__name__}")
    if wanted.get("total_images", 1) < 1:
        raise ConfigError(f"{kind}.total_images={wanted['total_images']} must be at least 1")


def refuse_idle_generator(config: RunConfig, processes: int) -> None:
    """Raise ConfigError for a run that ends before its generator's first step.

    That is in the last of `model.critic_steps` batches. Where stages have batches of their own,
    the smallest ones count.
    """
    model, total = config.model, config.total_images
    steps = model.get("critic_steps", 1)
    stages = model.get("stages") or {}
    sizes = (config.data.batch_size, *(stages.get("batch_sizes") or {}).values())
    if not all(type(each) is int and each > 0 for each in (steps, *sizes)):
        return  # said elsewhere
    images = steps * min(sizes) * processes
    if images - images // steps >= total:
        raise ConfigError(
            f"model.critic_steps={steps} is too long for total_images={total}: the generator's "
            f"first step comes with image {images:,}; set fewer steps, or more images"
        )


def _check_objective(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for an objective that no run can have; a search says more."""
    wanted = config["objective"]
    part, slash, name = (wanted or "").partition("/")
    if wanted in (None, "seconds"):
        return
    if part not in PARTS or not slash or not name:
        raise ConfigError(
            f"objective={wanted} is no metric: name one of {', '.join(PARTS)}, as in "
            "validation/loss or evaluation/frechet_distance"
        )
    if part == "evaluation" and config["evaluate"]["every_images"] is None:
        raise ConfigError(f"objective={wanted} needs evaluate.every_images=N: nothing is scored")
