"""Path length regularisation: what keeps a step in the styles as long in every image."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from genlab import bounds


class PathLength(nn.Module):
    """weight * (|J^T y| - a)^2 for the generator's Jacobian J by styles and random images y.

    Karras et al. 2020, section 3.2 and appendix B, https://arxiv.org/abs/1912.04958. y is drawn
    from N(0, I) / sqrt(height * width), the length is the root mean square over layers, and a the
    running mean of lengths.

    Args:
        weight: the paper's gamma.
        decay: how far the mean moves at each call.
        every: compute it in every so many of the generator's steps only, so many times as heavy.
        share: of the batch, to save memory.
    """

    def __init__(
        self, weight: float = 2.0, decay: float = 0.01, every: int = 4, share: float = 0.5
    ) -> None:
        super().__init__()
        bounds.at_least(0, weight=weight)
        bounds.within(0, 1, decay=decay, share=share)
        bounds.above(0, share=share)
        bounds.whole(1, bounds.RAREST, every=every)
        self.weight = weight
        self.decay = decay
        self.every = every
        self.share = share
        self.mean = nn.Buffer(torch.zeros(()))

    def due(self, step: int) -> bool:
        """Whether the generator's step with this number, from 0, has the penalty."""
        return self.weight > 0 and step % self.every == 0

    def forward(self, styles: Tensor, synthesise: Callable[[Tensor], Tensor]) -> Tensor:
        """The penalty of styles (B, layers, width) that `synthesise` makes images of."""
        pictures = synthesise(styles)
        side = math.sqrt(math.prod(pictures.shape[-2:]))
        directions = torch.randn_like(pictures) / side
        (gradient,) = torch.autograd.grad((pictures * directions).sum(), styles, create_graph=True)
        lengths = gradient.float().square().sum(2).mean(1).sqrt()
        with torch.no_grad():
            self.mean.lerp_(lengths.mean(), self.decay)
        return self.every * self.weight * (lengths - self.mean).square().mean()
