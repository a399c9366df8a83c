"""Regularisation of a critic by the running means of its logits."""

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.remedies.remedy import CriticStep, Remedy


class LeCam(Remedy):
    """weight * (mean (D(x) - a_fake)^2 + mean (D(G(z)) - a_real)^2).

    Tseng et al. 2021, "Regularizing Generative Adversarial Networks under Limited Data",
    equations 3 to 5, https://arxiv.org/abs/2104.03310: a_real and a_fake are running means of the
    logits of real and of generated images, which the critic's logits are drawn to from the other
    side. They begin with the logits of the first step.

    Args:
        weight: its weight in the critic's loss; .3 in the paper with StyleGAN2.
        decay: how much of the running means a step keeps, from 0 to below 1.
    """

    def __init__(self, weight: float = 0.3, decay: float = 0.99) -> None:
        super().__init__()
        bounds.at_least(0, weight=weight)
        bounds.within(0, 1, decay=decay)
        self.weight = weight
        self.decay = decay
        self.real = nn.Buffer(torch.zeros(()))
        self.fake = nn.Buffer(torch.zeros(()))
        self.started = nn.Buffer(torch.tensor(False))

    def critic_loss(self, step: CriticStep) -> Tensor:
        """The penalty of a step's logits, a scalar."""
        self._observe(step)
        real, fake = step.real.judgement.logits, step.fake.judgement.logits
        apart = (real - self.fake).square().mean() + (fake - self.real).square().mean()
        return self.weight * apart

    @torch.no_grad()
    def _observe(self, step: CriticStep) -> None:
        """Move the running means to the step's, taken over all processes."""
        for mean, judged in ((self.real, step.real), (self.fake, step.fake)):
            now = step.mean(judged.judgement.logits.mean())
            mean.copy_(torch.where(self.started, torch.lerp(now, mean, self.decay), now))
        self.started.fill_(True)
