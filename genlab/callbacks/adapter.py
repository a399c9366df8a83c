"""Adapters of learners and data to Lightning's modules."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.data.module import ImageData
from genlab.data.stream import Batch, Stream
from genlab.learners import Learner
from genlab.learners.learner import Engine, Losses


class Training(pl.LightningModule):
    """A learner as a LightningModule, with the learner's own names in checkpoints.

    The learner steps its optimizers itself (manual optimisation), without Lightning's wrappers,
    which count every player's step.
    """

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.learner = learner

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One optimizer per player."""
        return self.learner.optimizers_of_players()

    def on_train_start(self) -> None:
        """Set the optimizers' settings from the config, also in a continued run."""
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
        """Do one step of the learner."""
        return self.learner.training_step(batch)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """The learner's state."""
        return self.learner.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        """Load the learner's state."""
        return self.learner.load_state_dict(state_dict, strict=strict, assign=assign)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the learner's counters."""
        checkpoint["images_seen"] = self.learner.images_seen
        checkpoint["roll_backs"] = self.learner.roll_backs

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the learner's counters."""
        self.learner.images_seen = checkpoint["images_seen"]
        self.learner.roll_backs = checkpoint.get("roll_backs", 0)

    def _mean(self, value: Tensor) -> Tensor:
        mean: Tensor = self.trainer.strategy.reduce(value, reduce_op="mean")
        return mean


class TrainingData(pl.LightningDataModule):
    """The training images as an endless stream, whose position is the learner's `images_seen`."""

    def __init__(self, data: ImageData, learner: Learner) -> None:
        super().__init__()
        self.data = data
        self._learner = learner

    def train_dataloader(self) -> Stream:
        """The stream, created after the counters of a checkpoint are restored."""
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
    """The data of a trainer (Lightning does not declare the attribute)."""
    module = getattr(trainer, "datamodule", None)
    assert isinstance(module, TrainingData)
    return module.data
