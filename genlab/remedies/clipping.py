"""Weights of a critic that are kept within a limit."""

import torch

from genlab import bounds
from genlab.remedies.remedy import CriticStep, Remedy


class WeightClipping(Remedy):
    """After each step the critic's weights are clipped to [-limit, limit].

    Arjovsky et al. 2017, algorithm 1, https://arxiv.org/abs/1701.07875.

    Args:
        limit: the largest weight, above 0.
    """

    def __init__(self, limit: float) -> None:
        super().__init__()
        bounds.above(0, limit=limit)
        self.limit = limit

    @torch.no_grad()
    def after_critic(self, step: CriticStep) -> None:
        """Clip."""
        for parameter in step.critic.parameters():
            parameter.clamp_(-self.limit, self.limit)
