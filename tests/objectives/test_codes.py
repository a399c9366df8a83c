import torch
from torch.distributions import Independent, Normal, kl_divergence

from genlab.networks.autoencoder import GaussianCode
from genlab.objectives.codes import gaussian_kl


def test_gaussian_kl_is_that_of_torch_distributions() -> None:
    mean, log_variance = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    posterior = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros(5), torch.ones(5)), 1)
    code = GaussianCode(mean, mean, log_variance)
    torch.testing.assert_close(gaussian_kl(code), kl_divergence(posterior, prior))


def test_gaussian_kl_of_the_prior_is_zero() -> None:
    zeros = torch.zeros(3, 4)
    assert gaussian_kl(GaussianCode(zeros, zeros, zeros)).tolist() == [0.0, 0.0, 0.0]
