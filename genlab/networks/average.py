"""The exponential moving average of a network's weights."""

import copy
from typing import Any, Generic, Self, TypeVar

import torch
from torch import Tensor, nn

from genlab import bounds

Network = TypeVar("Network", bound=nn.Module)


class Average(nn.Module, Generic[Network]):
    """Keeps `network`, a copy whose weights follow another network's with a half-life in images.

    Karras et al. 2018 average generators; the half-life form with a ramp-up is that of
    https://arxiv.org/abs/1912.04958 (appendix B): the half-life is at most `ramp_up` times the
    images seen, so that early averages do not cling to the first weights. Floating buffers (batch
    statistics) are averaged alike, others are copied.
    """

    network: Network

    def __init__(self, network: Network, half_life_images: float, ramp_up: float = 0.05) -> None:
        super().__init__()
        bounds.at_least(0, half_life_images=half_life_images, ramp_up=ramp_up)
        self.half_life_images = half_life_images
        self.ramp_up = ramp_up
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode: the average is for sampling only."""
        return super().train(False)

    def decay(self, images_seen: int, batch_images: int) -> float:
        """The share of the old average that a step of `batch_images` keeps."""
        half_life = min(self.half_life_images, self.ramp_up * images_seen)
        return 0.5 ** (batch_images / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, network: nn.Module, images_seen: int, batch_images: int) -> None:
        """Move towards `network`'s weights and buffers."""
        weight = 1.0 - self.decay(images_seen, batch_images)
        averaged, current = _tensors(self.network), _tensors(network)
        floating = [i for i, tensor in enumerate(averaged) if tensor.is_floating_point()]
        torch._foreach_lerp_(
            [averaged[i] for i in floating], [current[i] for i in floating], weight
        )
        for old, new in zip(averaged, current, strict=True):
            if not old.is_floating_point():
                old.copy_(new)

    def forward(self, *inputs: Tensor, **stage: Any) -> Tensor:
        """The averaged network's answer."""
        result: Tensor = self.network(*inputs, **stage)
        return result


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
