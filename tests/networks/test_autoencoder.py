import torch

from genlab.networks import Autoencoder, GaussianBottleneck, dense


def autoencoder() -> Autoencoder:
    return Autoencoder(
        dense.Encoder(8, 1, [16]), GaussianBottleneck(16, 3), dense.Decoder(3, 8, 1, [16])
    )


def test_reparameterised_samples_have_the_posterior_moments() -> None:
    torch.manual_seed(0)
    bottleneck = GaussianBottleneck(4, 2)
    code = bottleneck(torch.randn(1, 4).expand(200_000, 4))
    deviation = (0.5 * code.log_variance[0]).exp()
    torch.testing.assert_close(code.values.mean(0), code.mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(code.values.std(0), deviation, atol=0.02, rtol=0)


def test_evaluation_mode_passes_the_mean_on() -> None:
    code = autoencoder().eval().encode(torch.randn(5, 1, 8, 8))
    assert torch.equal(code.values, code.mean)


def test_every_parameter_gets_a_finite_gradient() -> None:
    network = autoencoder()
    result = network(torch.randn(4, 1, 8, 8))
    (result.output.square().sum() + result.code.log_variance.sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_prior_depends_on_the_generator_alone() -> None:
    bottleneck = autoencoder().bottleneck
    draws = [bottleneck.prior(6, torch.Generator().manual_seed(4)) for _ in range(2)]
    assert torch.equal(*draws)
    assert draws[0].shape == (6, 3)
