"""Players that are held near the mean of their past weights."""

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.networks.critic import Critic
from genlab.remedies.remedy import CriticStep, GeneratorStep, Remedy


class HistoricalAverage(nn.Module):
    """The mean of all weights that a network has had."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.means = nn.ParameterList(
            nn.Parameter(p.detach().clone(), requires_grad=False) for p in network.parameters()
        )
        self.count = nn.Buffer(torch.tensor(1))

    def forward(self, network: nn.Module) -> Tensor:
        """The squared distance of the network's weights to the mean, a scalar."""
        pairs = zip(network.parameters(), self.means, strict=True)
        return torch.stack([(now - mean).square().sum() for now, mean in pairs]).sum()

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights as they are now."""
        self.count.add_(1)
        current = [p.detach() for p in network.parameters()]
        torch._foreach_lerp_(list(self.means), current, 1 / int(self.count))


class HistoricalAveraging(Remedy):
    """weight * (the squared distance of a player's weights to the mean of its past ones).

    Salimans et al. 2016, section 3.3, https://arxiv.org/abs/1606.03498, in both players' losses.

    Args:
        weight: its weight in both losses.
    """

    def __init__(self, weight: float = 0.001) -> None:
        super().__init__()
        bounds.at_least(0, weight=weight)
        self.weight = weight
        self.critic: HistoricalAverage | None = None
        self.generator: HistoricalAverage | None = None

    def attach(self, critic: Critic, generator: nn.Module | None) -> None:
        """Begin with their first weights."""
        self.critic = HistoricalAverage(critic)
        self.generator = None if generator is None else HistoricalAverage(generator)

    def critic_loss(self, step: CriticStep) -> Tensor | None:
        """The critic's distance."""
        return None if self.critic is None else self.weight * self.critic(step.critic)

    def after_critic(self, step: CriticStep) -> None:
        """Add its new weights to the mean."""
        if self.critic is not None:
            self.critic.update(step.critic)

    def generator_loss(self, step: GeneratorStep) -> Tensor | None:
        """The generator's distance."""
        return None if self.generator is None else self.weight * self.generator(step.generator)

    def after_generator(self, generator: nn.Module) -> None:
        """Add its new weights to the mean."""
        if self.generator is not None:
            self.generator.update(generator)
