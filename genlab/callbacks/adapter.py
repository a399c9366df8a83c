"""Learners and data as Lightning trains them: what it hooks into, and the way back from it."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.data.module import ImageData
from genlab.data.stream import Batch, Stream
from genlab.learners import Learner
from genlab.learners.learner import Engine, Losses


class Training(pl.LightningModule):
    """A learner as Lightning's module, with the learner's own names in checkpoints.

    Optimizers are stepped by the learner (manual optimisation) and not through Lightning's wrapper,
    whose bookkeeping counts every player's step.
    """

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.learner = learner

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One per player."""
        return self.learner.optimizers_of_players()

    def on_train_start(self) -> None:
        """Optimizer settings are the config's, also where a run continues."""
        optimizers = self.optimizers(use_pl_optimizer=False)
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group.update(optimizer.defaults)
        self.learner.engine = Engine(
            optimizers,
            self.global_rank,
            self.trainer.world_size,
            self.manual_backward,
            self._mean,
        )

    def training_step(self, batch: Batch, batch_idx: int) -> Losses:
        """A step of the learner."""
        return self.learner.training_step(batch)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """The learner's."""
        return self.learner.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        """The learner's."""
        return self.learner.load_state_dict(state_dict, strict=strict, assign=assign)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the learner's counts."""
        checkpoint["images_seen"] = self.learner.images_seen
        checkpoint["roll_backs"] = self.learner.roll_backs

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Give them back."""
        self.learner.images_seen = checkpoint["images_seen"]
        self.learner.roll_backs = checkpoint.get("roll_backs", 0)

    def _mean(self, value: Tensor) -> Tensor:
        mean: Tensor = self.trainer.strategy.reduce(value, reduce_op="mean")
        return mean


class TrainingData(pl.LightningDataModule):
    """The training images as an endless stream, placed by the learner's count of images."""

    def __init__(self, data: ImageData, learner: Learner) -> None:
        super().__init__()
        self.data = data
        self._learner = learner

    def train_dataloader(self) -> Stream:
        """Made once the counts of a checkpoint are known."""
        assert self.trainer is not None
        data, learner = self.data, self._learner
        image_set, groups = data.training()
        return Stream(
            image_set,
            groups,
            lambda: learner.stages.batch_size(learner.images_seen, data.batches.batch_size),
            learner.anew(data.seed),
            images_seen=lambda: learner.images_seen,
            flip=data.batches.flip,
            crop=data.batches.crop,
            rank=self.trainer.global_rank,
        )


def learner_of(module: pl.LightningModule) -> Learner:
    """The learner that Lightning trains."""
    assert isinstance(module, Training)
    return module.learner


def data_of(trainer: pl.Trainer) -> ImageData:
    """The data that a trainer was given (Lightning does not declare the attribute)."""
    module = getattr(trainer, "datamodule", None)
    assert isinstance(module, TrainingData)
    return module.data
