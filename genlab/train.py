"""Training, told as a story: device, data, learner, callbacks, trainer, run folder.

`train` is what the command line calls: it trains in this process on one device, and through
`genlab.launch` with one process per device otherwise. Those processes enter at `main`.
"""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

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
    Checkpoint,
    SafeCheckpointIO,
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
from genlab.assemble import build_data, build_learner, completed
from genlab.console import log_to
from genlab.data.module import ImageData
from genlab.devices import Device, choose, keep_big_blocks
from genlab.errors import CheckpointError, ConfigError, GenlabError, Stopped
from genlab.learners import Learner
from genlab.pretrained import load_encoder, with_encoder
from genlab.runs import RunFolder, remember
from genlab.settings import check_settings, processes, reached, refuse_changes
from genlab.stopping import stoppable

log = logging.getLogger(__name__)


class Parts(NamedTuple):
    """What a run is made of."""

    data: ImageData
    learner: Learner
    checkpoint: Checkpoint | None  # to go on from


def train(config: dict[str, Any], path: Path, overrides: list[str], go_on: bool) -> dict[str, Any]:
    """Train what `config` describes in the run folder `path`; returns the run's summary.

    A run that is there already is continued where `go_on` allows it and nothing that shapes the
    result has changed (or config["allow_changes"] is true).
    """
    check_settings(config)
    config = completed(with_encoder(config))
    if config["encoder"]:  # "last" will be another run when this one goes on
        found = f"encoder.run={config['encoder']['run']}"
        overrides = [found if w.startswith("encoder.run=") else w for w in overrides]
    folder = RunFolder(path)
    if launch.rank() > 0:
        return fit(config, folder, prepare(config, folder, launch.world_size()))
    with stoppable(folder):
        folder.lock()
        try:
            return _train_locked(config, folder, overrides, go_on)
        finally:
            folder.release()


def _train_locked(
    config: dict[str, Any], folder: RunFolder, overrides: list[str], go_on: bool
) -> dict[str, Any]:
    if folder.saved:
        if not go_on:
            raise ConfigError(
                f"hydra.run.dir={folder.path} holds a run already: continue it with "
                f"resume={folder.path}, or choose another folder"
            )
        refuse_changes(folder.config(), config)
        if reached(folder.read_summary(), config):
            log.info("%s is finished; total_images=N trains it further", folder.path)
            return folder.read_summary()
    elif folder.exists:
        log.info("nothing was saved in %s yet: starting from the beginning", folder.path)
    count = processes(config)
    several = count > 1 and not launch.launched()
    # Everything that can be wrong shows before the run has a folder.
    parts = prepare(config, folder, count if several else launch.world_size())
    folder.create({**config, "resume": None}, overrides)
    remember(folder)
    if several:
        del parts  # every process makes its own
        launch.run_processes(folder, count)
    else:
        with log_to(folder.path / "train.log"):
            fit(config, folder, parts)
    return folder.read_summary()


def prepare(config: dict[str, Any], folder: RunFolder, world: int) -> Parts:
    """What a run of `world` processes is made of; raises what is wrong with any of it."""
    checkpoint = newest_valid(folder.checkpoints)
    if folder.saved and not checkpoint:
        raise CheckpointError(
            f"{folder.path} holds no checkpoint that can be loaded: start again in a new folder"
        )
    keep_big_blocks()
    data = build_data(config)
    data.refuse_unfilled(world)
    learner = build_learner(config)
    learner.optimizers_of_players()  # training makes its own: these only show wrong settings
    return Parts(data, learner, checkpoint)


def fit(config: dict[str, Any], folder: RunFolder, parts: Parts) -> dict[str, Any]:
    """Train in this process (one rank), from the parts' checkpoint if there is one."""
    _quieten()
    learner, checkpoint = parts.learner, parts.checkpoint
    wanted = config["trainer"]
    device = choose(wanted["accelerator"], wanted["precision"], wanted["channels_last"])
    log.info("device: %s", device.reason)
    if device.channels_last:
        learner.memory_format = torch.channels_last
        learner.to(memory_format=torch.channels_last)
    if wanted["compile"]:
        for network in learner.children():
            network.compile()
    if checkpoint:
        log.info("continuing after %s images", f"{images_seen_of(checkpoint.path):,}")
    else:
        load_encoder(learner, config)
    lifecycle, callbacks = _callbacks(config, folder, device)
    trainer = _trainer(config, device, callbacks, checkpoint)
    log.info("data: %s", parts.data.image_set.about)
    log.info("run folder: %s", folder.path)
    _fit(trainer, parts)
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
    rank = launch.rank()
    try:
        with (
            stoppable(folder),
            log_to(folder.path / "train.log", on_console=True, quiet=rank > 0),
        ):
            config = folder.config()
            fit(config, folder, prepare(config, folder, launch.world_size()))
    except (GenlabError, Stopped) as error:
        launch.report(folder.path, rank, error)
        sys.exit(error.exit_code)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


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


def _trainer(
    config: dict[str, Any],
    device: Device,
    callbacks: list[pl.Callback],
    checkpoint: Checkpoint | None,
) -> pl.Trainer:
    world = launch.world_size()
    local = world // config["trainer"]["num_nodes"] or 1
    strategy = DDPStrategy(find_unused_parameters=True) if world > 1 else "auto"
    return pl.Trainer(
        accelerator=device.accelerator,
        devices=local,
        num_nodes=config["trainer"]["num_nodes"],
        strategy=strategy,
        precision=device.precision,  # type: ignore[arg-type]  # a str; Lightning checks it
        callbacks=callbacks,
        plugins=[SafeCheckpointIO(checkpoint), _cluster()],
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


def _fit(trainer: pl.Trainer, parts: Parts) -> None:
    path = parts.checkpoint and parts.checkpoint.path
    try:
        trainer.fit(parts.learner, datamodule=parts.data, ckpt_path=path, weights_only=True)
    except RuntimeError as error:
        if "loading state_dict" not in str(error):
            raise
        raise CheckpointError(
            f"{path}: its weights do not fit these networks; the architecture has changed"
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
