"""Distances between two sets of features: Frechet and kernel.

Neither is an "FID" or "KID" unless the features are InceptionV3's: report the feature network with
the value. The Frechet distance is biased upwards, the more so the fewer the samples: compare values
of equal N. The kernel distance is not.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.metrics.matrix import check_same_width, feature_matrices, feature_matrix


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean (D,) and unbiased covariance (D, D) in float64 of `count` samples."""

    mean: Tensor
    covariance: Tensor
    count: int


def moments(features: Tensor) -> Moments:
    """Mean and covariance (divisor N - 1) of features (N, D).

    Raises:
        ValueError: fewer than two samples, or features that are not finite.
    """
    features = feature_matrix(features)
    mean = features.mean(0)
    centred = features - mean
    return Moments(mean, centred.mT @ centred / (len(features) - 1), len(features))


def frechet_distance(a: Moments | Tensor, b: Moments | Tensor) -> float:
    """Squared Frechet (2-Wasserstein) distance of the Gaussians fitted to two sets.

    |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)): Dowson & Landau 1982; on InceptionV3
    features it is the FID of Heusel et al. 2017, equation 6. In squared units of the features.
    Fewer samples than features are allowed.

    Args:
        a: features (N, D), or their moments.
        b: features (M, D), or their moments.

    Raises:
        ValueError: fewer than two samples, features that are not finite, or sets that differ in D.
    """
    a = a if isinstance(a, Moments) else moments(a)
    b = b if isinstance(b, Moments) else moments(b)
    check_same_width(len(a.mean), len(b.mean))
    means = (a.mean - b.mean).square().sum()
    covariances = a.covariance.trace() + b.covariance.trace() - 2 * _trace_of_root(a, b)
    # Rounding leaves about -1e-8 of the trace where the sets are equal.
    return max(0.0, float(means + covariances))


def _trace_of_root(a: Moments, b: Moments) -> Tensor:
    """tr((S_a S_b)^(1/2)), a scalar.

    With S_a = F F^T, S_a S_b has the non-zero eigenvalues of the symmetric F^T S_b F: real, not
    negative, and a tenth of the work of a matrix root.
    """
    factor, other = _factored(a, b)
    eigenvalues = torch.linalg.eigvalsh(factor.mT @ (other @ factor))
    result: Tensor = eigenvalues.clamp(min=0).sqrt().sum()
    return result


def _factored(a: Moments, b: Moments) -> tuple[Tensor, Tensor]:
    """F of one of the covariances, and the other covariance.

    F is Cholesky's where a covariance has full rank, or else has as many columns as the rank.
    """
    for first, second in ((a, b), (b, a)):
        if first.count > len(first.mean):
            factor, failed = torch.linalg.cholesky_ex(first.covariance)
            if not failed:
                return factor, second.covariance
    fewer, more = sorted((a, b), key=lambda each: each.count)
    return _thin_factor(fewer.covariance), more.covariance


def _thin_factor(covariance: Tensor) -> Tensor:
    """F (D, rank) with F F^T = covariance (D, D), by eigenvectors."""
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    # The usual threshold of a numerical rank (Golub & Van Loan 2013, section 5.4.1).
    least = eigenvalues[-1] * len(covariance) * torch.finfo(covariance.dtype).eps
    kept = eigenvalues > least
    result: Tensor = vectors[:, kept] * eigenvalues[kept].sqrt()
    return result


class KernelDistance(NamedTuple):
    """Mean over the subsets and their standard deviation (divisor: the number of subsets)."""

    mean: float
    standard_deviation: float


def kernel_distance(
    a: Tensor,
    b: Tensor,
    *,
    subset_size: int = 1000,
    subsets: int = 100,
    generator: torch.Generator | None = None,
) -> KernelDistance:
    """Unbiased squared maximum mean discrepancy under the kernel (x.y / D + 1)^3.

    Binkowski et al. 2018, equation 4; on InceptionV3 features it is their KID. Without unit; its
    expectation is 0 for two samples of one distribution, so it may be negative.

    Args:
        a: features (N, D).
        b: features (M, D).
        subset_size: samples drawn from either set without replacement, at most min(N, M).
        subsets: draws to average. One is made where both sets are no larger than a subset: all
            would be the same, and the standard deviation is 0.
        generator: for the draws, on the CPU; without one, a new one seeded with 0.

    Raises:
        ValueError: fewer than two samples in a set or subset, no subset, features that are not
            finite, or sets that differ in D.
    """
    a, b = feature_matrices(a, b)
    size = min(subset_size, len(a), len(b))
    if size < 2 or subsets < 1:
        raise ValueError(f"cannot average {subsets} subsets of {subset_size} samples")
    if size == len(a) == len(b):
        subsets = 1
    generator = generator or torch.Generator().manual_seed(0)
    values = torch.stack(
        [
            _squared_discrepancy(_draw(a, size, generator), _draw(b, size, generator))
            for _ in range(subsets)
        ]
    )
    return KernelDistance(float(values.mean()), float(values.std(correction=0)))


def _draw(features: Tensor, size: int, generator: torch.Generator) -> Tensor:
    chosen = torch.randperm(len(features), generator=generator)[:size]
    return features[chosen.to(features.device)]


def _squared_discrepancy(x: Tensor, y: Tensor) -> Tensor:
    """Binkowski et al. 2018, equation 4, for x and y of equal size, (size, D)."""
    size = len(x)
    within = sum(kernel.sum() - kernel.trace() for kernel in (_kernel(x, x), _kernel(y, y)))
    return within / (size * (size - 1)) - 2 * _kernel(x, y).mean()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return torch.addmm(x.new_ones(()), x, y.mT, alpha=1 / x.shape[1]).pow_(3)
