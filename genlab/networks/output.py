"""Parameters of a likelihood that are learned beside the image."""

import torch
from torch import Tensor, nn


class SharedVariance(nn.Module):
    """Appends one learned log variance per channel to the image: (B, C, H, W) to (B, 2C, H, W).

    Rybkin, Daniilidis, Levine 2021, https://arxiv.org/abs/2006.13202: one variance for all pixels
    sets the balance between reconstruction and KL by itself. It is that of pixels on [0, 1].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.full((channels, 1, 1), -3.0))

    def forward(self, picture: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 2C, H, W): mean, log variance."""
        return torch.cat([picture.float(), self.log_variance.expand(picture.shape)], 1)
