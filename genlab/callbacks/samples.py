"""Samples of a learner during training."""

import pytorch_lightning as pl
import torch
from torch import Tensor

from genlab.learners import Learner
from genlab.learners.abilities import Generates
from genlab.learners.learner import evaluating
from genlab.pixels import to_uint8


@torch.inference_mode()
def generate_samples(
    trainer: pl.Trainer, learner: Learner, latents: Tensor, at_once: int
) -> Tensor:
    """Latents (N, width) to pictures, uint8 (N, C, H, W) on the learner's device.

    In evaluation mode and the run's precision, `at_once` of them at a time.
    """
    assert isinstance(learner, Generates)
    with evaluating(learner), trainer.precision_plugin.val_step_context():
        parts = latents.to(learner.device).split(at_once)
        return torch.cat([to_uint8(learner.generate(part)) for part in parts])
