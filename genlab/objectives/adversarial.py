"""The losses of the two-player game.

Each is one function of the critic's logits on real and on generated images, (B, 1) each, that
returns both players' losses, scalars. An image is called real where its logit is positive.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Losses(NamedTuple):
    """What each player minimises, as scalars."""

    critic: Tensor
    generator: Tensor


def non_saturating(real: Tensor, fake: Tensor) -> Losses:
    """The critic's cross-entropy; the generator maximises log D(G(z)).

    Goodfellow et al. 2014, equation 1 and the remark below it, https://arxiv.org/abs/1406.2661.
    """
    return Losses(_cross_entropy(real, fake), F.softplus(-fake).mean())


def minimax(real: Tensor, fake: Tensor) -> Losses:
    """The critic's cross-entropy; the generator minimises log(1 - D(G(z))).

    Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661. Its gradient fades where
    the critic is sure of itself.
    """
    return Losses(_cross_entropy(real, fake), -F.softplus(fake).mean())


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))) with D = sigmoid of the logit."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()
