"""Frechet and kernel distances against closed forms and other implementations."""

import itertools
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from genlab.metrics import Moments, frechet_distance, kernel_distance, moments


class Flat(nn.Module):
    """Pixels as features, mixed so that they correlate."""

    num_features = 12

    def __init__(self) -> None:
        super().__init__()
        mix = torch.randn(12, 12, generator=torch.Generator().manual_seed(5))
        self.register_buffer("mix", mix)

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1).float() / 255 @ self.mix


def correlated(count: int, width: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(width, width, generator=generator)
    return torch.randn(count, width, generator=generator) @ mix + shift


def by_matrix_root(a: Tensor, b: Tensor) -> float:
    x, y = a.double().numpy(), b.double().numpy()
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s @ t).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * root))


def test_frechet_of_diagonal_gaussians_is_the_closed_form() -> None:
    means = torch.tensor([[0.0, 1.0, -2.0], [3.0, 1.0, 0.5]]).double()
    deviations = torch.tensor([[1.0, 2.0, 0.1], [0.5, 2.0, 3.0]]).double()
    a, b = (
        Moments(mean, torch.diag(deviation**2), 100)
        for mean, deviation in zip(means, deviations, strict=True)
    )
    expected = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    assert frechet_distance(a, b) == pytest.approx(float(expected), rel=1e-12)


def test_moments_are_numpys() -> None:
    features = correlated(40, 6, 0)
    result = moments(features)
    assert result.count == 40
    assert result.covariance.dtype == torch.float64
    np.testing.assert_allclose(result.mean, features.double().mean(0))
    np.testing.assert_allclose(result.covariance, np.cov(features.double(), rowvar=False))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_frechet_is_scipys_matrix_root(dtype: torch.dtype) -> None:
    a, b = correlated(300, 24, 0).to(dtype), correlated(200, 24, 1, 0.5).to(dtype)
    assert frechet_distance(a, b) == pytest.approx(by_matrix_root(a, b), rel=1e-8)
    assert frechet_distance(moments(a), b) == frechet_distance(a, b)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


def test_frechet_is_torchmetrics() -> None:
    generator = torch.Generator().manual_seed(3)
    real = torch.randint(0, 256, (200, 3, 2, 2), dtype=torch.uint8, generator=generator)
    fake = torch.randint(0, 200, (150, 3, 2, 2), dtype=torch.uint8, generator=generator)
    network = Flat()
    reference = FrechetInceptionDistance(feature=network)
    reference.update(real, real=True)
    reference.update(fake, real=False)
    expected = float(reference.compute())
    assert frechet_distance(network(real), network(fake)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("count", "width"), [(500, 20), (20, 50), (2, 7), (64, 64)])
def test_frechet_of_a_set_with_itself_is_zero(count: int, width: int) -> None:
    features = correlated(count, width, 2)
    scale = float(features.double().var(0).sum())
    assert 0 <= frechet_distance(features, features) < 1e-6 * scale


def test_frechet_with_fewer_samples_than_features() -> None:
    # In the space that all samples span, tr((S T)^(1/2)) is the nuclear norm of X^T Y, centred.
    a, b = correlated(15, 60, 4), correlated(25, 60, 5, 1.0)
    x, y = (each.double() - each.double().mean(0) for each in (a, b))
    root = torch.linalg.svdvals(x @ y.mT).sum() / math.sqrt(14 * 24)
    means = (a.double().mean(0) - b.double().mean(0)).square().sum()
    expected = means + x.square().sum() / 14 + y.square().sum() / 24 - 2 * root
    assert frechet_distance(a, b) == pytest.approx(float(expected), rel=1e-6)
    assert frechet_distance(b, a) == pytest.approx(float(expected), rel=1e-6)


def test_frechet_with_features_that_never_fire() -> None:
    a, b = correlated(300, 10, 0), correlated(300, 10, 1)
    expected = frechet_distance(a, b)
    dead = torch.zeros(300, 4)
    with_dead = frechet_distance(torch.cat([a, dead], 1), torch.cat([b, dead], 1))
    assert with_dead == pytest.approx(expected, rel=1e-6)


def test_frechet_to_one_repeated_image() -> None:
    a, constant = correlated(300, 10, 0), torch.ones(50, 10)
    expected = (a.double().mean(0) - 1).square().sum() + a.double().var(0).sum()
    assert frechet_distance(a, constant) == pytest.approx(float(expected), rel=1e-9)
    assert frechet_distance(constant, constant) == 0


def test_kernel_distance_is_the_double_sum() -> None:
    a, b = correlated(9, 5, 0).double(), correlated(9, 5, 1).double()

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 5 + 1) ** 3)

    pairs = list(itertools.permutations(range(9), 2))
    within = sum(kernel(a[i], a[j]) + kernel(b[i], b[j]) for i, j in pairs) / (9 * 8)
    between = sum(kernel(x, y) for x in a for y in b) / 81
    result = kernel_distance(a, b)
    assert result.mean == pytest.approx(within - 2 * between, rel=1e-9)
    assert result.standard_deviation == 0


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save all")
def test_kernel_distance_is_torchmetrics() -> None:
    generator = torch.Generator().manual_seed(3)
    real = torch.randint(0, 256, (80, 3, 2, 2), dtype=torch.uint8, generator=generator)
    fake = torch.randint(0, 200, (80, 3, 2, 2), dtype=torch.uint8, generator=generator)
    network = Flat()
    reference = KernelInceptionDistance(feature=network, subsets=1, subset_size=80)
    reference.update(real, real=True)
    reference.update(fake, real=False)
    expected = float(reference.compute()[0])
    result = kernel_distance(network(real), network(fake))
    assert result.mean == pytest.approx(expected, rel=1e-3)


def test_kernel_distance_of_equal_distributions_is_zero_on_average() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.tensor(
        [
            kernel_distance(*torch.randn(2, 100, 8, generator=generator).unbind()).mean
            for _ in range(100)
        ]
    )
    assert abs(values.mean()) < 3 * values.std() / 10
    far = kernel_distance(torch.randn(100, 8, generator=generator) + 1, torch.zeros(100, 8))
    assert far.mean > 10 * values.std()


def test_kernel_distance_draws_the_same_subsets_again() -> None:
    a, b = correlated(120, 6, 0), correlated(90, 6, 1)
    first = kernel_distance(a, b, subset_size=50, subsets=10)
    assert first == kernel_distance(a, b, subset_size=50, subsets=10)
    assert first.standard_deviation > 0
    other = torch.Generator().manual_seed(1)
    assert first != kernel_distance(a, b, subset_size=50, subsets=10, generator=other)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_unusable_features_are_refused(distance) -> None:
    good, broken = torch.zeros(10, 4), torch.zeros(10, 4)
    broken[3, 1] = torch.nan
    with pytest.raises(ValueError, match="finite"):
        distance(good, broken)
    with pytest.raises(ValueError, match="at least 2 samples are needed, not 1"):
        distance(good[:1], good)
    with pytest.raises(ValueError, match="not 4 and 3"):
        distance(good, good[:, :3])
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        distance(good, good[None, :, :, None])


def test_kernel_distance_needs_subsets() -> None:
    with pytest.raises(ValueError, match="0 subsets of 1000"):
        kernel_distance(torch.zeros(4, 2), torch.zeros(4, 2), subsets=0)
    with pytest.raises(ValueError, match="subsets of 1 samples"):
        kernel_distance(torch.zeros(4, 2), torch.zeros(4, 2), subset_size=1)
