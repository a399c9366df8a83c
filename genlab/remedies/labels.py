"""Labels of real and generated images that are exchanged at random."""

import torch
from torch import Tensor

from genlab import bounds
from genlab.remedies.remedy import Remedy
from genlab.schedules import Schedule, as_schedule


class FlippedLabels(Remedy):
    """A real and a fake image change labels in the critic's loss, with a probability.

    Chintala et al. 2016, "How to Train a GAN", NIPS. Of losses that have labels only.

    Args:
        probability: of each pair, from 0 to 1; a number or a schedule.
    """

    needs_labels = True

    def __init__(self, probability: float | Schedule) -> None:
        super().__init__()
        bounds.within(0, 1, probability=probability)
        self.probability = as_schedule(probability)

    def exchange(self, real: Tensor, fake: Tensor, images_seen: int) -> tuple[Tensor, Tensor]:
        """Logits (B, n) with some pairs exchanged."""
        share = self.probability(images_seen)
        if not share:
            return real, fake
        flipped = torch.rand_like(real) < share
        return torch.where(flipped, fake, real), torch.where(flipped, real, fake)
