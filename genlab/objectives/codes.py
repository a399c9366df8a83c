"""Penalties on codes, called with a batch's code.

Each returns nats per image, (B,), or one scalar where it is a property of the whole batch. What a
code holds beside its values depends on the bottleneck.
"""

import math
from typing import Protocol

import torch
from torch import Tensor

from genlab import bounds


class HasValues(Protocol):
    """Any code: values (B, codes)."""

    @property
    def values(self) -> Tensor: ...  # noqa: D102 - a field


class GaussianPosterior(HasValues, Protocol):
    """A diagonal Gaussian over codes; both fields are (B, codes)."""

    @property
    def mean(self) -> Tensor: ...  # noqa: D102 - a field

    @property
    def log_variance(self) -> Tensor: ...  # noqa: D102 - a field


class Quantised(HasValues, Protocol):
    """Codebook entries: distance to the encoder's output and cost of the indices, (B,) each."""

    @property
    def distance(self) -> Tensor: ...  # noqa: D102 - a field

    @property
    def nats(self) -> Tensor: ...  # noqa: D102 - a field


def none(code: HasValues) -> Tensor:
    """No penalty: zeros (B,)."""
    return code.values.new_zeros(len(code.values))


def gaussian_kl(code: GaussianPosterior, free_nats: float = 0.0) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, I)) in nats, summed over codes, (B,).

    Kingma & Welling 2014, appendix B, https://arxiv.org/abs/1312.6114. With `free_nats` above 0
    every code costs at least that much on the batch's average, so that nothing is gained by
    silencing it, and the result is a scalar (Kingma et al. 2016, appendix C.8,
    https://arxiv.org/abs/1606.04934).
    """
    bounds.at_least(0, free_nats=free_nats)
    mean, log_variance = code.mean, code.log_variance
    each = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)
    if free_nats:
        return each.mean(0).clamp(min=free_nats).sum()
    return each.sum(1)


def l1(code: HasValues) -> Tensor:
    """The sum of the activations' absolute values, (B,)."""
    return code.values.abs().sum(1)


def sparsity_kl(code: HasValues, target: float) -> Tensor:
    """KL of a Bernoulli of mean `target` to one of each code's mean activation, summed: a scalar.

    Lee, Ekanadham, Ng 2007, https://papers.nips.cc/paper/3313, in the form of Ng's lecture notes
    on sparse autoencoders. Activations are on (0, 1): the codes need a sigmoid.
    """
    bounds.between(0, 1, target=target)
    mean = code.values.mean(0).clamp(1e-6, 1 - 1e-6)
    return (
        target * (math.log(target) - mean.log())
        + (1 - target) * (math.log(1 - target) - (1 - mean).log())
    ).sum()


def maximum_mean_discrepancy(code: HasValues) -> Tensor:
    """MMD^2 between the batch's codes and as many draws from N(0, I), unbiased: a scalar.

    Tolstikhin et al. 2018, https://arxiv.org/abs/1711.01558, algorithm 2, with its inverse
    multiquadratic kernels k(x, y) = c / (c + |x - y|^2) for c = 2 codes x {.1, .2, .5, 1, 2, 5, 10}
    summed. Of one image alone nothing can be said: 0.
    """
    if len(code.values) < 2:
        return code.values.new_zeros(())
    return mmd(code.values, torch.randn_like(code.values))


def mmd(one: Tensor, other: Tensor) -> Tensor:
    """Unbiased MMD^2 of two samples (N, codes) and (M, codes) under the kernels above."""
    count, more = len(one), len(other)
    if min(count, more) < 2:
        raise ValueError("the discrepancy of distributions needs batches of two images or more")
    same = _kernels(one, one).sum() - _kernels_of_zero(count)
    others = _kernels(other, other).sum() - _kernels_of_zero(more)
    across = _kernels(one, other).mean()
    return same / (count * (count - 1)) + others / (more * (more - 1)) - 2 * across


_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def _kernels(one: Tensor, other: Tensor) -> Tensor:
    squares = torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist").square()
    scales = [2.0 * one.shape[1] * scale for scale in _SCALES]
    return torch.stack([scale / (scale + squares) for scale in scales]).sum(0)


def _kernels_of_zero(count: int) -> float:
    """The kernels' sum over the pairs of every sample with itself."""
    return float(len(_SCALES) * count)


def info_vae(
    code: GaussianPosterior, information: float, divergence: float, free_nats: float = 0.0
) -> Tensor:
    """(1 - information) KL + (information + divergence - 1) MMD^2, (B,).

    Zhao, Song, Ermon 2019, equation 6 (their alpha and lambda), https://arxiv.org/abs/1706.02262.
    """
    bounds.finite(information=information)
    bounds.at_least(0, divergence=divergence)
    kl = gaussian_kl(code, free_nats)
    discrepancy = maximum_mean_discrepancy(code)
    return (1 - information) * kl + (information + divergence - 1) * discrepancy


def quantisation(code: Quantised, commitment: float) -> Tensor:
    """commitment * squared distance to the codebook + nats of the indices, (B,).

    Van den Oord et al. 2017, equation 3, https://arxiv.org/abs/1711.00937; its middle term is the
    codebook's own running mean, the nats train the prior.
    """
    bounds.at_least(0, commitment=commitment)
    return commitment * code.distance + code.nats
