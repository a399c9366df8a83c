"""Checks of settings: whether a run is possible here, and what may change when it continues."""

from typing import Any

import torch

from genlab import devices
from genlab.config.checks import refuse_idle_generator
from genlab.config.parts import flatten
from genlab.config.run import RunConfig, Trainer
from genlab.config.schema import check
from genlab.errors import CheckpointError, ConfigError, ResourceError
from genlab.io.secrets import redacted
from genlab.processes import launch

# Settings that may differ when a run continues: its length and output, not its computation.
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
_SHOWN = 5  # changes, in a message
MOST_PROCESSES = 256  # on a machine without GPUs


def check_settings(config: RunConfig) -> None:
    """Raise ConfigError for an impossible run, ResourceError for missing devices.

    Values have passed `genlab.config.checks`.
    """
    check(config.plain)
    processes(config.trainer)
    refuse_idle_generator(config, total_processes(config.trainer))


def processes(trainer: Trainer) -> int:
    """How many processes train on this machine; no device is initialised."""
    accelerator = devices.resolve_accelerator(
        trainer.accelerator, trainer.precision, trainer.channels_last
    )
    if trainer.num_nodes > 1 and not launch.launched():
        raise ConfigError(
            f"trainer.num_nodes={trainer.num_nodes}: start the run with torchrun or srun, on "
            "every machine"
        )
    return counted(trainer.devices, accelerator, "trainer.devices")


def total_processes(trainer: Trainer) -> int:
    """How many processes train the run, on all machines."""
    return launch.world_size() if launch.launched() else processes(trainer)


def counted(count: Any, accelerator: str, key: str) -> int:
    """The number of processes by `count`, the value of `key`; for auto one for each GPU."""
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


def refuse_changes(old: RunConfig, new: RunConfig) -> None:
    """Raise CheckpointError for settings that differ, unless the new ones allow it."""
    before, after = (dict(flatten(redacted(each.plain))) for each in (old, new))
    changed = [
        key
        for key in sorted({*before, *after}, key=lambda key: (key != "scale", key))
        if before.get(key) != after.get(key) and not key.startswith(_FREE)
        if key != "scale" or key in before  # older runs have none
    ]
    changes = [
        f"{key}: {before.get(key, 'unset')} -> {after.get(key, 'unset')}"
        for key in changed[:_SHOWN]
    ]
    kept = [
        f", for example {key}={before[key]}" for key in changed if key in before and key in after
    ]
    more = f"; and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    if changed and not new.allow_changes:
        raise CheckpointError(
            f"the run was started with other settings ({'; '.join(changes)}{more}): keep them"
            f"{''.join(kept[:1])}, or add allow_changes=true to train on with the new ones"
        )
