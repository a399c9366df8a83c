import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genlab.latent import lattice, most_typical, order, strengths, traverse

NORMAL = torch.Generator().manual_seed(0)
VALUES = torch.randn(200, 5, generator=NORMAL) * torch.tensor([1.0, 3.0, 0.1, 2.0, 0.5]) + 1


def test_only_one_number_varies_and_by_its_own_deviation() -> None:
    chosen, deviations = torch.tensor([1, 4]), torch.linspace(-3, 3, 7)
    codes = traverse(VALUES, VALUES[3], chosen, deviations)
    assert codes.shape == (2, 7, 5)
    moved = codes - VALUES[3]
    for row, position in enumerate(chosen):
        expected = deviations * VALUES[:, position].std(correction=0)
        torch.testing.assert_close(moved[row, :, position], expected, atol=1e-5, rtol=1e-5)
        others = [i for i in range(5) if i != position]
        assert moved[row][:, others].abs().max() == 0


def test_a_posterior_is_measured_by_its_kl_and_a_point_by_its_variance() -> None:
    log_variance = VALUES / 4
    posterior = Normal(VALUES.double(), (log_variance / 2).exp().double())
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).mean(0)
    found = strengths({"values": VALUES, "mean": VALUES, "log_variance": log_variance})
    torch.testing.assert_close(found.values, expected, atol=1e-6, rtol=1e-6)
    assert (found.name, found.unit) == ("KL", " nats")
    by_variance = strengths({"values": VALUES})
    assert by_variance.name == "variance"
    assert order(by_variance.values, 3).tolist() == [1, 3, 0]


def test_the_lattice_covers_the_prior_or_else_the_codes() -> None:
    values = VALUES[:, :2]
    gaussian = lattice({"values": values, "mean": values, "log_variance": values}, 20)
    assert gaussian.shape == (400, 2)
    limit = Normal(0.0, 1.0).icdf(torch.tensor(0.99)).item()
    assert gaussian.amax().item() == pytest.approx(limit, abs=1e-5)
    corner = gaussian.view(20, 20, 2)
    assert corner[0, 0].tolist() == pytest.approx([-limit, limit], abs=1e-5)
    plain = lattice({"values": values}, 20)
    torch.testing.assert_close(plain.amin(0), values.quantile(0.01, 0))
    torch.testing.assert_close(plain.amax(0), values.quantile(0.99, 0))


def test_the_most_typical_code_is_the_nearest_to_the_mean_in_deviations() -> None:
    values = torch.tensor([[0.0, 300.0], [2.0, 100.0], [1.2, 200.0], [0.9, 0.0]])
    distances = ((values - values.mean(0)) / values.std(0, correction=0)).square().sum(1)
    assert most_typical(values) == distances.argmin() == 2
