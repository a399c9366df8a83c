"""Penalties on the gradient of a critic's logits by its images.

Images are real and generated ones (B, C, H, W). Where a critic judges packs of images together
(PacGAN), a pack is what has a gradient. `weight` is the paper's; `every` computes the penalty in
every so many steps only and makes it so many times as heavy, which leaves its expectation as it is
(lazy regularisation, Karras et al. 2020, section 3.1, https://arxiv.org/abs/1912.04958).
"""

import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from genlab import bounds
from genlab.remedies.remedy import CriticStep, Remedy

Logits = Callable[[Tensor], Tensor]
"""Images (B, C, H, W) to logits (B / pack, 1)."""


class Penalty(Remedy):
    """A weighted mean over packs of a function of the gradient's norm, at points of its own.

    Args:
        weight: its weight in the critic's loss.
        every: compute it in every so many steps, so many times as heavy.
    """

    at_fakes: ClassVar[bool] = False  # whether its points are the fakes, with the fakes' labels

    def __init__(self, weight: float, every: int = 1) -> None:
        super().__init__()
        bounds.at_least(0, weight=weight)
        bounds.whole(1, bounds.RAREST, every=every)
        self.weight = weight
        self.every = every

    @property
    def lazy(self) -> bool:
        """Whether it is a step of its own, in some of the critic's steps."""
        return self.every > 1 and self.weight > 0

    def due(self, step: int) -> bool:
        """Whether the critic's step with this number, from 0, has the penalty."""
        return self.weight > 0 and step % self.every == 0

    def critic_loss(self, step: CriticStep) -> Tensor:
        """The penalty of a step in which it is due, a scalar."""
        labels = (step.fake if self.at_fakes else step.real).labels
        logits = functools.partial(step.critic, labels=labels, **step.stage)
        return self.forward(logits, step.real.images, step.fake.images, step.critic.pack)

    def forward(self, critic: Logits, reals: Tensor, fakes: Tensor, pack: int = 1) -> Tensor:
        """The penalty, a scalar, of a critic with `pack` images to a logit."""
        points = self.points(reals.detach(), fakes.detach(), pack).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        squares = gradient.float().unflatten(0, (-1, pack)).flatten(1).square().sum(1)
        return self.every * self.weight * self.of(squares).mean()

    @abstractmethod
    def points(self, reals: Tensor, fakes: Tensor, pack: int = 1) -> Tensor:
        """Where the gradient is taken, (B, C, H, W)."""

    @abstractmethod
    def of(self, squares: Tensor) -> Tensor:
        """The squared norms (B / pack,) to penalties (B / pack,) of weight 1."""


class GradientPenalty(Penalty):
    """weight * (|gradient| - target)^2 between reals and fakes.

    Gulrajani et al. 2017, equation 3, https://arxiv.org/abs/1704.00028.

    Args:
        target: the norm that gradients are to have.
    """

    def __init__(self, weight: float, every: int = 1, target: float = 1.0) -> None:
        super().__init__(weight, every)
        bounds.at_least(0, target=target)
        self.target = target

    def points(self, reals: Tensor, fakes: Tensor, pack: int = 1) -> Tensor:
        """One point on the line from each pack of real images to one of fakes."""
        return torch.lerp(reals, fakes, _shares(reals, pack))

    def of(self, squares: Tensor) -> Tensor:
        """(norm - target)^2."""
        # The root has no gradient at 0, where a critic that does not look at its input is.
        return (squares.clamp(min=1e-12).sqrt() - self.target).square()


class Dragan(GradientPenalty):
    """weight * (|gradient| - target)^2 around real images.

    Kodali et al. 2017, algorithm 1, https://arxiv.org/abs/1705.07215.

    Args:
        reach: each real image is moved by uniform noise of up to so many standard deviations of
            the batch's pixels.
    """

    def __init__(
        self, weight: float, every: int = 1, target: float = 1.0, reach: float = 0.5
    ) -> None:
        super().__init__(weight, every, target)
        bounds.at_least(0, reach=reach)
        self.reach = reach

    def points(self, reals: Tensor, fakes: Tensor, pack: int = 1) -> Tensor:
        """Reals, moved."""
        noise = torch.rand_like(reals)
        return reals + _shares(reals, pack) * self.reach * reals.std() * noise


class R1(Penalty):
    """weight / 2 * |gradient|^2 at real images.

    Mescheder et al. 2018, equation 9, https://arxiv.org/abs/1801.04406; the weight is their gamma.
    """

    def points(self, reals: Tensor, fakes: Tensor, pack: int = 1) -> Tensor:
        """The reals."""
        return reals.clone()

    def of(self, squares: Tensor) -> Tensor:
        """Half the squares."""
        return squares / 2


class R2(R1):
    """weight / 2 * |gradient|^2 at generated images.

    Mescheder et al. 2018, equation 10, https://arxiv.org/abs/1801.04406.
    """

    at_fakes: ClassVar[bool] = True

    def points(self, reals: Tensor, fakes: Tensor, pack: int = 1) -> Tensor:
        """The fakes."""
        return fakes.clone()


def _shares(images: Tensor, pack: int) -> Tensor:
    """Uniform on [0, 1], (B, 1, 1, 1), the same for all images (B, C, H, W) of a pack."""
    shares = torch.rand_like(images[::pack, :1, :1, :1])
    return shares.repeat_interleave(pack, 0)
