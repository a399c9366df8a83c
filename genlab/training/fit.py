"""Fitting: device, data, learner, callbacks and trainer of one process, in a run folder."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy

from genlab.callbacks.adapter import Training, TrainingData
from genlab.callbacks.curves import Curves
from genlab.callbacks.diagnosis import Diagnosis
from genlab.callbacks.evaluation import Evaluation, SampleScorer
from genlab.callbacks.grids import Grids
from genlab.callbacks.history import History
from genlab.callbacks.lifecycle import Lifecycle
from genlab.callbacks.listener import Listener
from genlab.callbacks.plateau import Plateau
from genlab.callbacks.progress import ProgressBar
from genlab.callbacks.pruning import Pruning
from genlab.callbacks.stages import StageLog
from genlab.callbacks.summary import Summary
from genlab.callbacks.validation import Validation
from genlab.config.build import build_data, build_learner, refuse_unpacked, without_memory
from genlab.config.run import RunConfig
from genlab.config.scale import MEANING
from genlab.console import ONCE
from genlab.data.classes import listed_classes
from genlab.data.module import ImageData
from genlab.devices import Device, choose, find, keep_big_blocks
from genlab.errors import CheckpointError, Diverged, Stopped
from genlab.learners import Learner
from genlab.learners.abilities import Generates, PlaysAgainstCritic
from genlab.processes import launch, peers
from genlab.processes.cluster import LaunchedEnvironment
from genlab.runs.checkpoints import Checkpoint, newest_valid
from genlab.runs.folder import RunFolder
from genlab.runs.state import images_seen_of
from genlab.runs.weights import misfit_of_tensors
from genlab.training.checkpoint_io import SafeCheckpointIO
from genlab.training.own_state import OwnState, refuse_other_ranks
from genlab.training.pretrained import load_encoder
from genlab.training.restoring import Restored, refuse_misfit

log = logging.getLogger(__name__)

ROLL_BACKS = 2  # after which a run that diverges again is given up


class Parts(NamedTuple):
    """What a run is made of."""

    data: ImageData
    learner: Learner
    checkpoint: Checkpoint | None  # to go on from


def prepare(config: RunConfig, folder: RunFolder, world: int) -> Parts:
    """What a run of `world` processes is made of; raises what is wrong with any of it."""
    checkpoint = newest_valid(folder.checkpoints)
    if folder.saved and not checkpoint:
        raise CheckpointError(
            f"{folder.path} holds no checkpoint that can be loaded: start again in a new folder"
        )
    keep_big_blocks()
    data = build_data(config)
    data.refuse_unfilled(world)
    if checkpoint:
        _refuse_other_shapes(checkpoint, config)
    learner = build_learner(config)
    # Training makes its own: these show wrong settings, and what a checkpoint has to fit.
    optimizers = learner.optimizers_of_players()
    refuse_unpacked(learner, data.batches.batch_size)
    if checkpoint:
        refuse_misfit(checkpoint, learner, optimizers)
        refuse_other_ranks(checkpoint, learner, world, config.allow_changes)
    return Parts(data, learner, checkpoint)


def _refuse_other_shapes(checkpoint: Checkpoint, config: RunConfig) -> None:
    """Raise CheckpointError for other networks' weights, before the networks take memory."""
    try:
        expected = without_memory(config.model).state_dict()
        problem = misfit_of_tensors(checkpoint.state["state_dict"], expected)
    except Exception:  # what cannot be compared like this is compared with the networks
        return
    if problem:
        raise CheckpointError(f"{checkpoint.path}: {problem}")


def fit(
    config: RunConfig,
    folder: RunFolder,
    parts: Parts,
    scorer: SampleScorer | None = None,
    heard: Listener | None = None,
    until_level: bool = False,
) -> dict[str, Any]:
    """Train in this process (one rank), from the parts' checkpoint if there is one.

    Samples are scored by the judge as the config's `evaluate` says, where there is one. A
    search hears the objective by its listener. A classifier may end earlier, see `Plateau`.
    """
    _quieten()
    again = f"continue with genlab train resume={folder.path}"
    with peers.group(find(config.trainer.accelerator), config.trainer.timeout_seconds, again):
        while True:
            try:
                return _fit_on(config, folder, parts, scorer, heard, until_level)
            except Diverged as error:
                parts = _rolled_back(config, folder, parts, error.with_traceback(None))


def _rolled_back(config: RunConfig, folder: RunFolder, parts: Parts, error: Diverged) -> Parts:
    """The run as its last checkpoint has it, for other noise; raises Diverged where it cannot be.

    What follows is a function of the seed and of the number of roll-backs, which is saved.
    """
    advice = "lower the learning rate (model.rate=0.5), or train with trainer.precision=32-true"
    checkpoint, done = newest_valid(folder.checkpoints), parts.learner.roll_backs
    if checkpoint is None:
        raise Diverged(f"{error}, before anything was saved: {advice}") from error
    back = f"{images_seen_of(checkpoint.path):,} images"
    if done >= ROLL_BACKS:
        raise Diverged(
            f"{error}, as before {done} roll-backs; the checkpoint of {back} is good: {advice}"
        ) from error
    log.warning("%s: back to %s, with other noise (%d of %d)", error, back, done + 1, ROLL_BACKS)
    checkpoint.state["roll_backs"] = done + 1
    return parts._replace(learner=build_learner(config), checkpoint=checkpoint)


def _fit_on(
    config: RunConfig,
    folder: RunFolder,
    parts: Parts,
    scorer: SampleScorer | None,
    heard: Listener | None,
    until_level: bool,
) -> dict[str, Any]:
    """Train until the run is done, stopped or not finite any more."""
    learner, checkpoint = parts.learner, parts.checkpoint
    wanted = config.trainer
    device = choose(wanted.accelerator, wanted.precision, wanted.channels_last)
    log.info("device: %s", device.reason, extra=ONCE)
    # Pages of others have one size.
    if config.scale and isinstance(learner, Generates) and isinstance(learner, PlaysAgainstCritic):
        log.info("scale: %s", MEANING[config.scale], extra=ONCE)
    if device.channels_last:
        learner.memory_format = torch.channels_last
        learner.to(memory_format=torch.channels_last)
    if wanted.compile:
        for network in learner.networks:
            network.compile()
    if checkpoint:
        log.info("continuing after %s images", f"{images_seen_of(checkpoint.path):,}")
    else:
        load_encoder(learner, config)
    lifecycle, callbacks = _callbacks(config, folder, device, scorer, heard)
    if until_level:
        history = next(each for each in callbacks if isinstance(each, History))
        callbacks.insert(-1, Plateau(history, lifecycle))
    trainer = _trainer(config, device, callbacks, checkpoint)
    log.info("data: %s", parts.data.image_set.about, extra=ONCE)
    if classes := parts.data.image_set.classes:
        log.info("labels: %s", listed_classes(classes), extra=ONCE)
    log.info("run folder: %s", folder.path)
    _fit(trainer, parts, next(each for each in callbacks if isinstance(each, Restored)))
    if lifecycle.signal is not None:
        raise Stopped(
            f"stopped after {learner.images_seen:,} images, all saved: continue with "
            f"genlab train resume={folder.path}",
            lifecycle.signal,
        )
    return folder.read_summary()


def _callbacks(
    config: RunConfig,
    folder: RunFolder,
    device: Device,
    scorer: SampleScorer | None,
    heard: Listener | None,
) -> tuple[Lifecycle, list[pl.Callback]]:
    history = History(folder.path, config.log.every_images)
    validation = Validation(history, config.log.validate_every_images)
    shown = config.samples
    grids = Grids(folder.path, history, shown.every_images, shown.count, config.seed)
    diagnosis = Diagnosis(history)
    evaluation = None
    if scorer:
        every = config.evaluate.every_images
        assert every
        evaluation = Evaluation(folder.best, history, scorer, every, config.seed)
    summary = Summary(folder.summary, history, device, config.seed)
    summary.diagnosis, summary.evaluation = diagnosis, evaluation
    lifecycle = Lifecycle(
        folder.path,
        total_images=config.total_images,
        max_minutes=config.max_minutes,
        every_images=config.checkpoint.every_images,
        every_minutes=config.checkpoint.every_minutes,
        keep=config.checkpoint.keep,
        finish=[
            history.flush,
            validation.measure,
            *([evaluation.measure] if evaluation else []),
            grids.finish,
            Curves(history).draw,
            lambda *_: history.close_with(compared(config, folder.overrides())),
            summary.write,
        ],
    )
    summary.lifecycle = lifecycle
    bar = ProgressBar(lifecycle)
    scored: list[pl.Callback] = [evaluation] if evaluation else []
    if heard:
        scored.append(Pruning(history, config.objective, heard))
    return lifecycle, [
        history,
        StageLog(history),
        validation,
        *scored,
        diagnosis,
        Restored(),
        grids,
        bar,
        OwnState(),
        lifecycle,
    ]


def compared(config: RunConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """The settings by which TensorBoard compares runs: usual ones and those of the command line."""
    found: dict[str, Any] = {
        "model": config.kind,
        "seed": config.seed,
        "total_images": config.total_images,
        "data.resolution": config.data.resolution,
        "data.batch_size": config.data.batch_size,
    }
    for word in overrides:
        key, equals, value = word.lstrip("+").partition("=")
        if equals and not key.startswith("hydra"):
            found[key] = _number(value)
    return found


def _number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def _trainer(
    config: RunConfig,
    device: Device,
    callbacks: list[pl.Callback],
    checkpoint: Checkpoint | None,
) -> pl.Trainer:
    world = launch.world_size()
    local = world // config.trainer.num_nodes or 1
    strategy: Any = "auto"
    if world > 1:  # buffers are each rank's own: batch statistics, pools of fakes
        strategy = DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)
    return pl.Trainer(
        accelerator=device.accelerator,
        devices=local,
        num_nodes=config.trainer.num_nodes,
        strategy=strategy,
        precision=device.precision,  # type: ignore[arg-type]  # a str; Lightning checks it
        callbacks=callbacks,
        plugins=[
            SafeCheckpointIO(checkpoint),
            LaunchedEnvironment() if launch.launched() else LightningEnvironment(),
        ],
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _fit(trainer: pl.Trainer, parts: Parts, restored: Restored) -> None:
    path = parts.checkpoint and parts.checkpoint.path
    try:
        trainer.fit(
            Training(parts.learner),
            datamodule=TrainingData(parts.data, parts.learner),
            ckpt_path=path,
            weights_only=True,
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if path is None or restored.done:
            raise
        reason = " ".join(str(error).split())[:120]
        raise CheckpointError(
            f"{path}: cannot be restored ({type(error).__name__}: {reason}): remove it to go on "
            "from the one before"
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
        ".*callbacks used to create the checkpoint.*",
        ".*`broadcast_buffers` is deprecated.*",
        ".*isinstance.treespec, LeafSpec.*",
        ".*module.s. in eval mode at the start of training.*",
    ):
        warnings.filterwarnings("ignore", message)
