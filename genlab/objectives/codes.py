"""Penalties on codes: each is called with a batch's code and returns one value per image, (B,)."""

from typing import Protocol

from torch import Tensor


class GaussianPosterior(Protocol):
    """A diagonal Gaussian over codes; both fields are (B, codes)."""

    @property
    def mean(self) -> Tensor: ...  # noqa: D102 - a field

    @property
    def log_variance(self) -> Tensor: ...  # noqa: D102 - a field


def gaussian_kl(code: GaussianPosterior) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, I)) in nats, summed over codes, (B,).

    Kingma & Welling 2014, appendix B, https://arxiv.org/abs/1312.6114.
    """
    mean, log_variance = code.mean, code.log_variance
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)
