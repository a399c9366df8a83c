"""Fitting: training in one process (one rank), in a run folder."""

import logging
import warnings
from typing import Any

import pytorch_lightning as pl
import torch

from genlab.callbacks.adapter import Training, TrainingData
from genlab.callbacks.evaluation import SampleScorer
from genlab.callbacks.history import History
from genlab.callbacks.listener import Listener
from genlab.callbacks.plateau import Plateau
from genlab.config.build import build_learner
from genlab.config.run import RunConfig
from genlab.config.scale import MEANING
from genlab.console import ONCE
from genlab.data.classes import listed_classes
from genlab.devices import choose, resolve_accelerator
from genlab.errors import CheckpointError, Diverged, Stopped
from genlab.learners.abilities import Generates, PlaysAgainstCritic
from genlab.processes import peers
from genlab.runs.checkpoints import newest_valid
from genlab.runs.run_folder import RunFolder
from genlab.runs.state import images_in_name
from genlab.training.preparation import Parts
from genlab.training.pretrained import load_encoder
from genlab.training.restoring import Restored
from genlab.training.trainer import build_callbacks, build_trainer

log = logging.getLogger(__name__)

ROLL_BACKS = 2  # a run that diverges again after so many fails


def fit(
    config: RunConfig,
    folder: RunFolder,
    parts: Parts,
    scorer: SampleScorer | None = None,
    heard: Listener | None = None,
    until_level: bool = False,
) -> dict[str, Any]:
    """Train in this process, from the parts' checkpoint if there is one; returns the summary.

    Args:
        scorer: scores samples as set by the config's `evaluate`.
        heard: a search's listener for the objective.
        until_level: end a classifier's run when its accuracy is level, see `Plateau`.
    """
    _quieten()
    again = f"continue with genlab train resume={folder.path}"
    with peers.group(
        resolve_accelerator(config.trainer.accelerator), config.trainer.timeout_seconds, again
    ):
        while True:
            try:
                return _fit_on(config, folder, parts, scorer, heard, until_level)
            except Diverged as error:
                parts = _rolled_back(config, folder, parts, error.with_traceback(None))


def _rolled_back(config: RunConfig, folder: RunFolder, parts: Parts, error: Diverged) -> Parts:
    """The run at its last checkpoint, to continue with other noise; Diverged if there is none.

    The noise is a function of the seed and of the number of roll-backs, which is saved.
    """
    advice = "lower the learning rate (model.rate=0.5), or train with trainer.precision=32-true"
    checkpoint, done = newest_valid(folder.checkpoints), parts.learner.roll_backs
    if checkpoint is None:
        raise Diverged(f"{error}, before anything was saved: {advice}") from error
    back = f"{images_in_name(checkpoint.path):,} images"
    if done >= ROLL_BACKS:
        raise Diverged(
            f"{error}, also after {done} roll-backs; the checkpoint of {back} is good: {advice}"
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
    """Train until the run is finished or stopped, or its values are no longer finite."""
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
        log.info("continuing after %s images", f"{images_in_name(checkpoint.path):,}")
    else:
        load_encoder(learner, config)
    lifecycle, callbacks = build_callbacks(config, folder, device, scorer, heard)
    if until_level:
        history = next(each for each in callbacks if isinstance(each, History))
        callbacks.insert(-1, Plateau(history, lifecycle))
    trainer = build_trainer(config, device, callbacks, checkpoint)
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
            f"{path}: cannot be restored ({type(error).__name__}: {reason}): remove it to continue "
            "from the one before"
        ) from error


def _quieten() -> None:
    """Silence Lightning's hints that are irrelevant to users of the command line."""
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
