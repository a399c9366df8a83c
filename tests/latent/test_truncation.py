import pytest
import torch
from torch.distributions import Normal

from genlab.latent.truncation import truncated_normal

DRAWS = torch.randn(100_000, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("truncation", [0.1, 0.5, 1.0, 2.0])
def test_draws_follow_the_truncated_distribution(truncation: float) -> None:
    """Its variance is 1 - 2 t phi(t) / (2 Phi(t) - 1)."""
    found = truncated_normal(DRAWS, truncation)
    assert found.abs().max() <= truncation
    normal, t = Normal(0.0, 1.0), torch.tensor(truncation)
    variance = 1 - 2 * t * normal.log_prob(t).exp() / (2 * normal.cdf(t) - 1)
    assert found.var().item() == pytest.approx(variance.item(), rel=0.02)
    assert found.mean().abs() < 0.01


def test_it_is_the_same_quantile_of_the_part_that_is_left() -> None:
    normal, t = Normal(0.0, 1.0), torch.tensor(0.8, dtype=torch.float64)
    z = torch.linspace(-4, 4, 41, dtype=torch.float64)
    share = normal.cdf(-t) + (2 * normal.cdf(t) - 1) * normal.cdf(z)
    torch.testing.assert_close(truncated_normal(z, 0.8), normal.icdf(share), atol=1e-9, rtol=1e-9)


def test_the_map_rises_and_is_odd_and_ends_at_the_draws_themselves() -> None:
    z = torch.linspace(-7, 7, 1001)
    found = truncated_normal(z, 1.5)
    assert found.dtype == z.dtype
    assert (found.diff() >= 0).all()
    torch.testing.assert_close(found, -found.flip(0))
    torch.testing.assert_close(truncated_normal(z, 30.0), z)
    assert truncated_normal(torch.zeros(2, 3), 1e-3).equal(torch.zeros(2, 3))
