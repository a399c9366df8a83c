import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from genlab.networks.bottlenecks import GaussianCode, PlainCode
from genlab.networks.quantised import QuantisedCode
from genlab.objectives import codes


def test_gaussian_kl_is_that_of_torch_distributions() -> None:
    mean, log_variance = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    posterior = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros(5), torch.ones(5)), 1)
    code = GaussianCode(mean, mean, log_variance)
    torch.testing.assert_close(codes.gaussian_kl(code), kl_divergence(posterior, prior))


def test_free_nats_below_zero_are_refused() -> None:
    zeros = torch.zeros(3, 4)
    with pytest.raises(ValueError, match="free_nats=-1"):
        codes.gaussian_kl(GaussianCode(zeros, zeros, zeros), free_nats=-1)


def test_one_image_alone_has_no_discrepancy() -> None:
    assert codes.maximum_mean_discrepancy(PlainCode(torch.ones(1, 4))) == 0


def test_gaussian_kl_of_the_prior_is_zero() -> None:
    zeros = torch.zeros(3, 4)
    assert codes.gaussian_kl(GaussianCode(zeros, zeros, zeros)).tolist() == [0.0, 0.0, 0.0]


def test_free_nats_are_a_floor_for_every_code() -> None:
    mean = torch.tensor([[3.0, 0.0], [3.0, 0.0]])
    code = GaussianCode(mean, mean, torch.zeros(2, 2))
    assert codes.gaussian_kl(code, free_nats=0.5).item() == pytest.approx(4.5 + 0.5)
    assert codes.gaussian_kl(code).tolist() == [4.5, 4.5]


def test_l1_is_the_sum_of_magnitudes() -> None:
    assert codes.l1(PlainCode(torch.tensor([[1.0, -2.0], [0.0, 0.5]]))).tolist() == [3.0, 0.5]


def test_sparsity_is_the_kl_of_bernoullis() -> None:
    activations = torch.rand(50, 4, generator=torch.Generator().manual_seed(0))
    expected = kl_divergence(Bernoulli(0.1), Bernoulli(activations.mean(0))).sum()
    torch.testing.assert_close(codes.sparsity_kl(PlainCode(activations), 0.1), expected)
    even = PlainCode(torch.full((5, 3), 0.1))
    assert codes.sparsity_kl(even, 0.1).item() == pytest.approx(0.0, abs=1e-6)


def test_no_penalty_is_zero_per_image() -> None:
    assert codes.none(PlainCode(torch.ones(3, 2))).tolist() == [0.0, 0.0, 0.0]


def test_mmd_of_two_points_is_known() -> None:
    """Twice the same point against twice another at distance d: 2 (k(0) - k(d))."""
    one, other = torch.zeros(2, 1), torch.full((2, 1), 3.0)
    scales = [2.0 * scale for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)]
    expected = 2 * sum(1 - scale / (scale + 9.0) for scale in scales)
    assert codes.mmd(one, other).item() == pytest.approx(expected, rel=1e-5)


def test_mmd_of_equal_distributions_is_zero_on_average_and_grows_with_a_shift() -> None:
    torch.manual_seed(0)
    same = [codes.maximum_mean_discrepancy(PlainCode(torch.randn(200, 4))) for _ in range(50)]
    assert abs(torch.stack(same).mean().item()) < 5e-3
    near, far = (codes.mmd(torch.randn(200, 4) + s, torch.randn(200, 4)) for s in (0.5, 1.5))
    assert 0.02 < near < far


def test_mmd_is_the_integral_of_its_kernel() -> None:
    """Against the double sum by hand, u-statistics over distinct pairs."""
    torch.manual_seed(0)
    one, other = torch.randn(6, 2), torch.randn(5, 2) * 2

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        square = (a - b).square().sum().item()
        return sum(4 * s / (4 * s + square) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))

    same = sum(kernel(a, b) for i, a in enumerate(one) for j, b in enumerate(one) if i != j) / 30
    others = sum(kernel(a, b) for i, a in enumerate(other) for j, b in enumerate(other) if i != j)
    across = sum(kernel(a, b) for a in one for b in other) / 30
    expected = same + others / 20 - 2 * across
    assert codes.mmd(one, other).item() == pytest.approx(expected, rel=1e-4)


def test_info_vae_mixes_kl_and_discrepancy() -> None:
    mean, log_variance = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
    code = GaussianCode(mean, mean, log_variance)
    torch.testing.assert_close(
        codes.info_vae(code, information=0.0, divergence=1.0), codes.gaussian_kl(code)
    )
    torch.manual_seed(3)
    alone = codes.info_vae(code, information=1.0, divergence=2.0)
    torch.manual_seed(3)
    expected = 2 * codes.maximum_mean_discrepancy(code)
    torch.testing.assert_close(alone, expected.expand(30))


def test_quantisation_adds_commitment_and_nats() -> None:
    values = torch.zeros(2, 4)
    code = QuantisedCode(values, values.long(), torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0]))
    assert codes.quantisation(code, commitment=0.5).tolist() == [2.0, 3.0]


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1])
def test_impossible_targets_are_refused(target: float) -> None:
    with pytest.raises(ValueError, match="target"):
        codes.sparsity_kl(PlainCode(torch.rand(2, 2)), target)


def test_a_single_image_has_no_discrepancy() -> None:
    with pytest.raises(ValueError, match="two images"):
        codes.mmd(torch.zeros(1, 2), torch.zeros(1, 2))
    assert math.isfinite(codes.mmd(torch.zeros(2, 2), torch.zeros(2, 2)).item())
