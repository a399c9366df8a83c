"""Batch normalisation whose gain and offset depend on labels."""

import torch
from torch import Tensor, nn


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation of maps (B, C, H, W) with a gain and an offset for every class.

    De Vries et al. 2017, https://arxiv.org/abs/1707.00683, as in the generator of Miyato & Koyama
    2018, https://arxiv.org/abs/1802.05637. With several labels their gains and offsets add up.

    Args:
        channels: C.
        width: of the condition, (B, width), which is put into `condition` before a call.
        labels: how many labels are set in a condition.
    """

    condition: Tensor | None = None

    def __init__(self, channels: int, width: int, labels: int = 1) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Linear(width, channels, bias=False)
        self.offset = nn.Linear(width, channels, bias=False)
        nn.init.constant_(self.gain.weight, 1 / labels)  # the gains of all labels add up to 1
        nn.init.zeros_(self.offset.weight)

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if self.condition is None:
            raise ValueError("a conditional normalisation needs labels, and has none")
        gain, offset = self.gain(self.condition), self.offset(self.condition)
        return torch.addcmul(offset[:, :, None, None], gain[:, :, None, None], self.norm(values))


def conditioned(network: nn.Module, width: int, labels: int) -> int:
    """Put a conditional one in the place of every batch normalisation; returns how many."""
    count = 0
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, ConditionalBatchNorm(child.num_features, width, labels))
            count += 1
        else:
            count += conditioned(child, width, labels)
    return count
