"""What a classifier says of generated images: how sure it is, and which kinds there are."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_MODES = 1000


def inception_score(probabilities: Tensor) -> float:
    """exp of the mean KL divergence of p(y|x) from the mean p(y), of probabilities (N, classes).

    Salimans et al. 2016, section 4, https://arxiv.org/abs/1606.03498, over all samples at once.
    From 1 (all alike, or the classifier never sure) to the number of classes. An Inception Score
    only where the classifier is InceptionV3.
    """
    p = probabilities.double()
    # xlogy is 0 where a probability is 0.
    divergence = torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))
    return float(divergence.sum(1).mean().exp())


@dataclass(frozen=True)
class Modes:
    """`covered` of `known` modes have a sample; `divergence` is KL(generated || real) in nats."""

    covered: int
    known: int
    divergence: float


def modes(real: Tensor, fake: Tensor, count: int) -> Modes:
    """Modes that samples fall into against those of real images, (N,) and (M,) of 0 ... count - 1.

    As for the 1000 modes of stacked digits: Metz et al. 2017, section 3.3.1,
    https://arxiv.org/abs/1611.02163. A mode that no real image has counts as one with a single
    image, so that the divergence stays finite; without any sample it is that of a single mode.
    """
    reals = torch.bincount(real, minlength=count).double()
    fakes = torch.bincount(fake, minlength=count).double()
    q = reals.clamp(min=1) / reals.clamp(min=1).sum()
    p = fakes / fakes.sum() if len(fake) else F.one_hot(q.argmin(), count).double()
    present = reals > 0
    return Modes(
        covered=int(((fakes > 0) & present).sum()),
        known=int(present.sum()),
        divergence=float((torch.xlogy(p, p) - torch.xlogy(p, q)).sum()),
    )


def combined(labels: Mapping[str, Tensor], sizes: Mapping[str, int]) -> tuple[Tensor, int] | None:
    """All labels (N,) by name as one number, and how many there can be; None above 1000."""
    if not labels:
        return None
    number, count = torch.zeros_like(next(iter(labels.values()))), 1
    for name, values in labels.items():
        number = number * sizes[name] + values
        count *= sizes[name]
    return (number, count) if count <= MOST_MODES else None
