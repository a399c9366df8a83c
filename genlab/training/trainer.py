"""Lightning's trainer and the callbacks of a run, by its config."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy

from genlab.callbacks.curves import Curves
from genlab.callbacks.diagnosis import Diagnosis
from genlab.callbacks.evaluation import Evaluation, SampleScorer
from genlab.callbacks.grids import Grids
from genlab.callbacks.history import History
from genlab.callbacks.lifecycle import Finish, Lifecycle
from genlab.callbacks.listener import Listener
from genlab.callbacks.progress_bar import ProgressBar
from genlab.callbacks.pruning import Pruning
from genlab.callbacks.stages import StageLog
from genlab.callbacks.summary import Summary
from genlab.callbacks.validation import Validation
from genlab.config.run import RunConfig
from genlab.devices import Device
from genlab.processes import launch
from genlab.processes.cluster import LaunchedEnvironment
from genlab.runs.checkpoints import LoadedCheckpoint
from genlab.runs.run_folder import RunFolder
from genlab.training.checkpoint_io import SafeCheckpointIO
from genlab.training.rank_state import RankState
from genlab.training.restoring import Restored


def build_callbacks(
    config: RunConfig,
    folder: RunFolder,
    device: Device,
    scorer: SampleScorer | None,
    heard: Listener | None,
) -> tuple[Lifecycle, list[pl.Callback]]:
    """The callbacks of a run, and the one among them that saves and stops it.

    Args:
        scorer: of samples while the run trains, if any.
        heard: the listener of a search, if any.
    """
    history = History(folder.path, config.log.every_images)
    validation = Validation(history, config.log.validate_every_images)
    grids = Grids(
        folder.path, history, config.samples.every_images, config.samples.count, config.seed
    )
    diagnosis = Diagnosis(history)
    evaluation = None
    if scorer:
        every = config.evaluate.every_images
        assert every
        evaluation = Evaluation(folder.best, history, scorer, every, config.seed)
    summary = Summary(folder.summary, history, device, config.seed)
    finish: list[Finish] = [
        history.flush,
        validation.measure,
        *([evaluation.measure] if evaluation else []),
        grids.finish,
        Curves(history).draw,
        lambda *_: history.close_with(compared_settings(config, folder.overrides())),
        summary.write,
    ]
    lifecycle = _lifecycle(config, folder, finish)
    summary.lifecycle, summary.diagnosis, summary.evaluation = lifecycle, diagnosis, evaluation
    scored: list[pl.Callback] = [evaluation] if evaluation else []
    if heard:
        scored.append(Pruning(history, config.objective, heard))
    before = [history, StageLog(history), validation, *scored, diagnosis]
    after = [Restored(), grids, ProgressBar(lifecycle), RankState(), lifecycle]
    return lifecycle, [*before, *after]


def _lifecycle(config: RunConfig, folder: RunFolder, finish: list[Finish]) -> Lifecycle:
    return Lifecycle(
        folder.path,
        total_images=config.total_images,
        max_minutes=config.max_minutes,
        every_images=config.checkpoint.every_images,
        every_minutes=config.checkpoint.every_minutes,
        keep=config.checkpoint.keep,
        finish=finish,
    )


def compared_settings(config: RunConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """Settings that TensorBoard compares runs by: the main ones and those of the command line."""
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


def build_trainer(
    config: RunConfig,
    device: Device,
    callbacks: list[pl.Callback],
    checkpoint: LoadedCheckpoint | None,
) -> pl.Trainer:
    """Lightning's trainer, for this process as one of `launch.world_size()`."""
    world = launch.world_size()
    local = world // config.trainer.num_nodes or 1
    strategy: Any = "auto"
    if world > 1:  # each rank has its own buffers: batch statistics, pools of generated images
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
