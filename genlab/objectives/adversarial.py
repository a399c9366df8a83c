"""The losses of the two-player game.

Each is one function of the critic's logits on real and on generated images, (B, 1) each, that
returns both players' losses, scalars. An image is called real where its logit lies above
`threshold`: 0, but for losses that are relative.

`smoothing` is one-sided label smoothing (Salimans et al. 2016, section 3.4,
https://arxiv.org/abs/1606.03498): reals count as real for the critic with probability
1 - smoothing only. The fakes' labels and the generator's loss stay as they are.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from genlab import bounds


class Losses(NamedTuple):
    """What each player minimises, as scalars, and what the critic's logits mean.

    Attributes:
        critic: the critic's loss.
        generator: the generator's loss.
        relative: only differences between real and fake logits count; 0 says nothing.
        labelled: images have labels, which can be smoothed or flipped.
    """

    critic: Tensor
    generator: Tensor
    relative: bool = False
    labelled: bool = True


GameLoss = Callable[[Tensor, Tensor], Losses]


def non_saturating(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Losses:
    """The critic's cross-entropy; the generator maximises log D(G(z)).

    Goodfellow et al. 2014, equation 1 and the remark below it, https://arxiv.org/abs/1406.2661.
    """
    return Losses(_cross_entropy(real, fake, smoothing), F.softplus(-fake).mean())


def minimax(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Losses:
    """The critic's cross-entropy; the generator minimises log(1 - D(G(z))).

    Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661. Its gradient fades where
    the critic is sure of itself.
    """
    return Losses(_cross_entropy(real, fake, smoothing), -F.softplus(fake).mean())


def least_squares(
    real: Tensor, fake: Tensor, smoothing: float = 0.0, generator_weight: float = 0.5
) -> Losses:
    """Half the squared distance of logits to 1 for real and 0 for fake.

    Mao et al. 2017, equation 9, https://arxiv.org/abs/1611.04076, shifted by a half so that an
    image is called real where its logit is positive: the targets are 1/2 and -1/2. The critic's
    loss is always halved; `generator_weight` is 1 in Zhu et al. 2017, section 4,
    https://arxiv.org/abs/1703.10593.
    """
    bounds.above(0, generator_weight=generator_weight)
    of_real = _smoothed((real - 0.5).square(), (real + 0.5).square(), smoothing)
    critic = of_real + (fake + 0.5).square().mean()
    return Losses(critic / 2, generator_weight * (fake - 0.5).square().mean())


def hinge(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Losses:
    """The critic's margins up to 1; the generator maximises its logit.

    Lim & Ye 2017, https://arxiv.org/abs/1705.02894, as in Miyato et al. 2018, equations 16 and 17,
    https://arxiv.org/abs/1802.05957.
    """
    of_real = _smoothed(F.relu(1 - real), F.relu(1 + real), smoothing)
    return Losses(of_real + F.relu(1 + fake).mean(), -fake.mean())


def wasserstein(real: Tensor, fake: Tensor, smoothing: float = 0.0, drift: float = 0.0) -> Losses:
    """The difference of mean logits, which estimates the earth mover's distance.

    Arjovsky et al. 2017, algorithm 1, https://arxiv.org/abs/1701.07875. The critic has to be
    1-Lipschitz: see the penalties, weight clipping and spectral normalisation. Its logits have no
    zero of their own; `drift` is the weight of the squares of those of reals, which holds them near
    0 (Karras et al. 2018, appendix A, https://arxiv.org/abs/1710.10196).

    There are no labels to smooth: a part of the reals that counts as fake would let the loss fall
    without bound with a constant added to all logits. ValueError for a smoothing other than 0.
    """
    bounds.at_least(0, drift=drift)
    if smoothing:
        raise ValueError(
            f"smoothing={smoothing} has no meaning for the Wasserstein loss, which has no labels: "
            "leave out remedy=label_smoothing, or set model.loss.smoothing=0"
        )
    critic = fake.mean() - real.mean() + drift * real.square().mean()
    return Losses(critic, -fake.mean(), relative=True, labelled=False)


def relativistic(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Losses:
    """Both players judge a real image against a fake one, in pairs.

    Jolicoeur-Martineau 2019, section 4.1, https://arxiv.org/abs/1807.00734, with the logistic
    function: the loss of R3GAN (Huang et al. 2024, equation 2, https://arxiv.org/abs/2501.05441).
    """
    lead = real - fake
    critic = _smoothed(F.softplus(-lead), F.softplus(lead), smoothing)
    return Losses(critic, F.softplus(lead).mean(), relative=True)


def threshold(real: Tensor, fake: Tensor, relative: bool) -> Tensor:
    """The logit, a scalar, above which a critic calls an image real, from a step's logits (B, n).

    0, but midway between the mean logits of reals and fakes for a loss that is `relative`: this
    fixes the constant that the loss leaves open where a cross-entropy has it, between both kinds.
    """
    return (real.mean() + fake.mean()) / 2 if relative else real.new_zeros(())


def certainty(real: Tensor, fake: Tensor, relative: bool) -> Tensor:
    """How sure a critic is of what it learns from, a scalar in [-1, 1], from logits (B, n) each.

    The r_t of Karras et al. 2020, section 3.1, https://arxiv.org/abs/2006.06676: the mean sign of
    the reals' logits, 0 where the critic cannot tell and 1 where it knows them all. It asks for a
    zero that means something. A loss that is `relative` has one in the difference between a real
    and a fake logit, which is what its critic is taught: the mean sign of that is taken, pair by
    pair. Where both kinds have the same logits it is 0 on average, wherever they are and however
    skewed; as images are learned by heart it rises to 1.
    """
    return ((real - fake) if relative else real).sign().mean()


def _cross_entropy(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """-log D(x) - log(1 - D(G(z))) with D = sigmoid of the logit."""
    return _smoothed(F.softplus(-real), F.softplus(real), smoothing) + F.softplus(fake).mean()


def _smoothed(as_real: Tensor, as_fake: Tensor, smoothing: float) -> Tensor:
    """The mean loss of reals that count as real with probability 1 - smoothing."""
    if not 0 <= smoothing < 0.5:
        raise ValueError(f"smoothing={smoothing} must be from 0 to below 0.5")
    if not smoothing:
        return as_real.mean()
    return (1 - smoothing) * as_real.mean() + smoothing * as_fake.mean()
