"""Training, told as a story: device, data, learner, callbacks, trainer, run folder.

`train` is what the command line calls: it trains in this process on one device, and through
`genlab.launch` with one process per device otherwise. Those processes enter at `main`.
"""

import logging
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from pytorch_lightning.strategies import DDPStrategy

from genlab import launch
from genlab.artefacts.checkpoint_io import (
    SafeCheckpointIO,
    checkpoints_of,
    images_seen_of,
    newest_valid,
)
from genlab.artefacts.grids import Grids
from genlab.artefacts.history import History
from genlab.artefacts.lifecycle import Lifecycle
from genlab.artefacts.progress import ProgressBar
from genlab.artefacts.stages import StageLog
from genlab.artefacts.summary import Summary
from genlab.artefacts.validation import Validation
from genlab.assemble import DATA_KEYS, build_data, build_learner, completed
from genlab.config import check, flatten
from genlab.console import log_to
from genlab.data.module import ImageData
from genlab.devices import Device, choose, keep_big_blocks
from genlab.errors import CheckpointError, ConfigError, GenlabError, Stopped
from genlab.learners import Learner
from genlab.pretrained import load_encoder, with_encoder
from genlab.runs import RunFolder, remember

log = logging.getLogger(__name__)

# What may differ when a run goes on: how long it lasts and what it shows, not what it computes.
_FREE = (
    "total_images",
    "max_minutes",
    "resume",
    "allow_changes",
    "checkpoint.",
    "samples.",
    "log.",
)


def train(config: dict[str, Any], path: Path, overrides: list[str], go_on: bool) -> dict[str, Any]:
    """Train what `config` describes in the run folder `path`; returns the run's summary.

    A run that is there already is continued where `go_on` allows it and nothing that shapes the
    result has changed (or config["allow_changes"] is true).
    """
    _check_settings(config)
    config = completed(with_encoder(config))
    folder = RunFolder(path)
    if launch.rank() == 0:
        folder.lock()
        try:
            return _train_locked(config, folder, overrides, go_on)
        finally:
            folder.release()
    return fit(config, folder)


def _train_locked(
    config: dict[str, Any], folder: RunFolder, overrides: list[str], go_on: bool
) -> dict[str, Any]:
    resuming = config["resume"] not in (None, "auto")
    if resuming and not newest_valid(folder.checkpoints):
        raise CheckpointError(
            f"{folder.path} holds no checkpoint that can be loaded: start again in a new "
            "folder, or with resume=auto in this one"
        )
    if folder.exists and checkpoints_of(folder.checkpoints):  # else nothing was trained here yet
        if not go_on:
            raise ConfigError(
                f"hydra.run.dir={folder.path} holds a run already: continue it with "
                f"resume={folder.path}, or choose another folder"
            )
        _refuse_changes(folder.config(), config)
        if _finished(folder.read_summary(), config):
            log.info("%s is finished; total_images=N trains it further", folder.path)
            return folder.read_summary()
    folder.create({**config, "resume": None}, overrides)
    remember(folder)
    processes = _processes(config)
    if processes > 1 and not launch.launched():
        launch.run_processes(folder.path, processes)
    else:
        with log_to(folder.path / "train.log"):
            fit(config, folder)
    return folder.read_summary()


def fit(config: dict[str, Any], folder: RunFolder) -> dict[str, Any]:
    """Train in this process (one rank), from the newest valid checkpoint if there is one."""
    _quieten()
    keep_big_blocks()
    wanted = config["trainer"]
    device = choose(wanted["accelerator"], wanted["precision"], wanted["channels_last"])
    log.info("device: %s", device.reason)
    data = build_data(config)
    data.setup()
    learner = build_learner(config)
    if device.channels_last:
        learner.memory_format = torch.channels_last
        learner.to(memory_format=torch.channels_last)
    if wanted["compile"]:
        for network in learner.children():
            network.compile()
    checkpoint = newest_valid(folder.checkpoints)
    if not checkpoint:
        load_encoder(learner, config)
    else:
        log.info("continuing after %s images", f"{images_seen_of(checkpoint):,}")
    lifecycle, callbacks = _callbacks(config, folder, device)
    trainer = _trainer(config, device, callbacks)
    log.info("data: %s", data.image_set.about)
    log.info("run folder: %s", folder.path)
    _fit(trainer, learner, data, checkpoint)
    if lifecycle.signal is not None:
        raise Stopped(
            f"stopped after {learner.images_seen:,} images, all saved: continue with "
            f"genlab train resume={folder.path}",
            lifecycle.signal,
        )
    return folder.read_summary()


def main() -> None:
    """Entry of one of several processes: `python -m genlab.train RUN_FOLDER`."""
    folder = RunFolder(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, stop_at_once)
    rank = launch.rank()
    try:
        with log_to(folder.path / "train.log", on_console=True, quiet=rank > 0):
            fit(folder.config(), folder)
    except GenlabError as error:
        launch.report(folder.path, rank, error)
        sys.exit(error.exit_code)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def stop_at_once(number: int, frame: Any) -> None:
    """Signal handler for the time before training: nothing is lost yet."""
    raise Stopped("stopped before training began", number)


def _check_settings(config: dict[str, Any]) -> None:
    check(config)
    for key in ("total_images", "samples.every_images", "log.every_images", "checkpoint.keep"):
        value = dict(flatten(config))[key]
        if value < 1:
            raise ConfigError(f"{key}={value} must be at least 1")
    missing = [key for key in ("source", "resolution", *DATA_KEYS) if key not in config["data"]]
    if missing:
        raise ConfigError(f"data page lacks {', '.join(missing)} (see the packaged pages)")


def _refuse_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = dict(flatten(old)), dict(flatten(new))
    changes = [
        f"{key}: {before.get(key, 'unset')} -> {after.get(key, 'unset')}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key) and not key.startswith(_FREE)
    ]
    if changes and not new["allow_changes"]:
        raise CheckpointError(
            f"the run was started with other settings ({'; '.join(changes)}): leave them as they "
            "were, or add allow_changes=true to train on with the new ones"
        )


def _finished(summary: dict[str, Any], config: dict[str, Any]) -> bool:
    if not summary:
        return False
    minutes = config["max_minutes"]
    enough = minutes is not None and summary["seconds"] >= 60 * minutes
    return bool(enough or summary["images_seen"] >= config["total_images"])


def _processes(config: dict[str, Any]) -> int:
    devices = config["trainer"]["devices"]
    if devices == "auto":
        on_gpu = config["trainer"]["accelerator"] in ("auto", "gpu", "cuda")
        return max(torch.cuda.device_count(), 1) if on_gpu else 1
    if not isinstance(devices, int) or devices < 1:
        raise ConfigError(f"trainer.devices={devices} is neither a number of processes nor auto")
    return devices


def _callbacks(
    config: dict[str, Any], folder: RunFolder, device: Device
) -> tuple[Lifecycle, list[pl.Callback]]:
    history = History(folder.path, config["log"]["every_images"])
    validation = Validation(history, config["log"]["validate_every_images"])
    grids = Grids(folder.path, history, seed=config["seed"], **config["samples"])
    summary = Summary(folder.summary, history, device, config["seed"])
    lifecycle = Lifecycle(
        folder.path,
        total_images=config["total_images"],
        max_minutes=config["max_minutes"],
        **config["checkpoint"],
        finish=[history.flush, validation.measure, grids.finish, summary.write],
    )
    summary.lifecycle = lifecycle
    bar = ProgressBar(lifecycle)
    return lifecycle, [history, StageLog(history), validation, grids, bar, lifecycle]


def _trainer(config: dict[str, Any], device: Device, callbacks: list[pl.Callback]) -> pl.Trainer:
    world = launch.world_size()
    local = world // config["trainer"]["num_nodes"] or 1
    strategy = DDPStrategy(find_unused_parameters=True) if world > 1 else "auto"
    return pl.Trainer(
        accelerator=device.accelerator,
        devices=local,
        num_nodes=config["trainer"]["num_nodes"],
        strategy=strategy,
        precision=device.precision,  # type: ignore[arg-type]
        callbacks=callbacks,
        plugins=[SafeCheckpointIO(), _cluster()],
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _cluster() -> ClusterEnvironment:
    """Lightning's view of who started this process."""
    if not launch.launched():
        return LightningEnvironment()
    if TorchElasticEnvironment.detect():
        return TorchElasticEnvironment()
    return SLURMEnvironment(auto_requeue=False)


def _fit(trainer: pl.Trainer, learner: Learner, data: ImageData, checkpoint: Path | None) -> None:
    try:
        trainer.fit(learner, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except RuntimeError as error:
        if "loading state_dict" not in str(error):
            raise
        raise CheckpointError(
            f"{checkpoint}: its weights do not fit these networks; the architecture has changed"
        ) from error


def _quieten() -> None:
    """Lightning's hints that do not concern a user of the command line."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*`training_step` returned `None`.*",
        ".*GPU available but not used.*",
        ".*find_unused_parameters=True was specified.*",
        ".*isinstance.treespec, LeafSpec.*",
        ".*module.s. in eval mode at the start of training.*",
    ):
        warnings.filterwarnings("ignore", message)


if __name__ == "__main__":
    main()
