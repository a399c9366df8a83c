"""Noise on all images that a critic sees."""

import torch
from torch import Tensor

from genlab import bounds
from genlab.remedies.remedy import Remedy
from genlab.schedules import Schedule, as_schedule


class InstanceNoise(Remedy):
    """Gaussian noise on real and generated images, so that their distributions overlap.

    Sonderby et al. 2017, section 3.3, https://arxiv.org/abs/1610.04490.

    Args:
        deviation: its standard deviation on the scale of [-1, 1], a number or a schedule.
    """

    def __init__(self, deviation: float | Schedule) -> None:
        super().__init__()
        bounds.at_least(0, deviation=deviation)
        self.deviation = as_schedule(deviation)

    def show(self, images: Tensor, images_seen: int) -> Tensor:
        """The images (B, C, H, W) with noise."""
        deviation = self.deviation(images_seen)
        return images + deviation * torch.randn_like(images) if deviation else images
