"""What a run's settings may be, alone, together and when a run goes on."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from genlab import bounds, devices
from genlab.config.build import DATA_KEYS
from genlab.config.entries import check_numbers, check_parts
from genlab.config.scale import MEANING
from genlab.config.schema import check, check_seed, check_truths, flatten
from genlab.config.targets import locate
from genlab.data.source import Source
from genlab.errors import CheckpointError, ConfigError, ResourceError
from genlab.io.secrets import redacted
from genlab.learners import Learner
from genlab.processes import launch
from genlab.words import one_of

# What may differ when a run goes on: how long it lasts and what it shows, not what it computes.
_FREE = (
    "total_images",
    "max_minutes",
    "resume",
    "allow_changes",
    "checkpoint.",
    "samples.",
    "log.",
    "evaluate.every_images",
    "objective",
    "report",
    "trainer.timeout_seconds",
)
_AT_LEAST_1 = (
    "total_images",
    "trainer.num_nodes",
    "trainer.timeout_seconds",
    "checkpoint.every_images",
    "checkpoint.keep",
    "samples.every_images",
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
_SHOWN = 5  # changes, in a message
_ABOVE_0 = ("max_minutes", "checkpoint.every_minutes")
PARTS = ("train", "validation", "evaluation")  # of metrics
MOST_PROCESSES = 256  # on a machine without GPUs


def check_settings(config: dict[str, Any]) -> None:
    """Raise ConfigError for what no run can be made of, ResourceError for devices not there."""
    check_values(config)
    check(config)
    processes(config)
    _refuse_idle_generator(config)


def check_values(config: dict[str, Any]) -> None:
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
    _check_objective(config)
    missing = [
        key for key in ("source", "resolution", "channels", *DATA_KEYS) if key not in config["data"]
    ]
    if missing:
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


def _refuse_idle_generator(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a run that ends before its generator's first step.

    That is in the last of `model.critic_steps` batches. Where stages have batches of their own,
    the smallest ones count.
    """
    model, total = config["model"], config["total_images"]
    steps = model.get("critic_steps", 1)
    stages = model.get("stages") or {}
    sizes = (config["data"]["batch_size"], *(stages.get("batch_sizes") or {}).values())
    if not all(type(each) is int and each > 0 for each in (steps, *sizes)):
        return  # said elsewhere
    images = steps * min(sizes) * together(config)
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


def processes(config: Mapping[str, Any]) -> int:
    """How many processes train on this machine; no device is touched."""
    wanted = config["trainer"]
    accelerator = devices.find(wanted["accelerator"], wanted["precision"], wanted["channels_last"])
    if wanted["num_nodes"] > 1 and not launch.launched():
        raise ConfigError(
            f"trainer.num_nodes={wanted['num_nodes']}: start the run with torchrun or srun, on "
            "every machine"
        )
    return counted(wanted["devices"], accelerator, "trainer.devices")


def together(config: Mapping[str, Any]) -> int:
    """How many processes train together, on all machines."""
    return launch.world_size() if launch.launched() else processes(config)


def counted(count: Any, accelerator: str, key: str) -> int:
    """The number of processes that `count`, the value of `key`, asks for; auto: all GPUs."""
    here = torch.cuda.device_count() if accelerator == "cuda" else 1
    if count == "auto":
        return here
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_PROCESSES:
        raise ConfigError(
            f"{key}={count} is neither a number of processes, up to {MOST_PROCESSES}, nor auto"
        )
    if accelerator != "cpu" and count > here and not launch.launched():
        raise ResourceError(f"{key}={count}: this machine has {here}; use {key}=auto")
    return count


def refuse_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raise CheckpointError for settings that differ, unless the new ones allow it."""
    before, after = dict(flatten(redacted(old))), dict(flatten(redacted(new)))
    changed = [
        key
        for key in sorted({*before, *after}, key=lambda key: (key != "scale", key))
        if before.get(key) != after.get(key) and not key.startswith(_FREE)
        if key != "scale" or key in before  # runs of older versions have none
    ]
    changes = [
        f"{key}: {before.get(key, 'unset')} -> {after.get(key, 'unset')}"
        for key in changed[:_SHOWN]
    ]
    kept = [f", as in {key}={before[key]}" for key in changed if key in before and key in after]
    more = f"; and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    if changed and not new["allow_changes"]:
        raise CheckpointError(
            f"the run was started with other settings ({'; '.join(changes)}{more}): keep them"
            f"{''.join(kept[:1])}, or add allow_changes=true to train on with the new ones"
        )
