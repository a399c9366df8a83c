import functools
import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from genlab.learners.abilities import Generates, Measures, Reconstructs
from genlab.learners.adversarial import Adversarial
from genlab.learners.learner import Engine, frozen
from genlab.learners.players import CriticPlayer, GeneratorPlayer
from genlab.learners.reconstruction import Reconstruction
from genlab.networks import (
    Autoencoder,
    Critic,
    GaussianBottleneck,
    Generator,
    PlainBottleneck,
    dense,
)
from genlab.networks.bottlenecks import PlainCode
from genlab.objectives.adversarial import non_saturating
from genlab.objectives.codes import gaussian_kl, maximum_mean_discrepancy
from genlab.objectives.corruptions import Masking
from genlab.objectives.reconstruction import SquaredError
from genlab.pixels import normalise
from genlab.schedules import Greedy, Ramp


def sgd(parameters) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.1)


def autoencoder_learner(beta: float = 1.0, code_penalty=gaussian_kl, **settings) -> Reconstruction:
    torch.manual_seed(0)
    network = Autoencoder(
        dense.Encoder(8, 1, [16]),
        functools.partial(GaussianBottleneck, codes=3),
        functools.partial(dense.Decoder, resolution=8, channels=1, widths=[16]),
    )
    return Reconstruction(network, SquaredError(), sgd, code_penalty, beta, **settings)


def gan_learner(critic_optimizer=sgd, batches=1, path_length=None, **settings) -> Adversarial:
    torch.manual_seed(0)
    decoder = functools.partial(dense.Decoder, resolution=8, channels=1, widths=[16], output="tanh")
    encoder = functools.partial(dense.Encoder, resolution=8, widths=[16])
    return Adversarial(
        GeneratorPlayer(Generator(decoder, latent_size=2), sgd, 0, batches, path_length),
        CriticPlayer(functools.partial(Critic, encoder, channels=1), critic_optimizer),
        **{"loss": non_saturating, **settings},
    )


def test_normalise_maps_bytes_to_minus_one_to_one() -> None:
    assert normalise(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_the_loss_is_error_plus_beta_kl_per_value() -> None:
    learner = autoencoder_learner(beta=4.0).eval()
    measured = learner.measure(torch.rand(5, 1, 8, 8) * 2 - 1, {})
    expected = measured["reconstruction"] + 4.0 * measured["code_penalty"] / 64
    torch.testing.assert_close(measured["loss"], expected)
    torch.testing.assert_close(measured["mse"], measured["reconstruction"], atol=0.05, rtol=0)


def linear_gaussian(validation_draws: int = 1) -> tuple[Reconstruction, MultivariateNormal]:
    """x = W z + b + noise of variance 1/2 on [0, 1], and its exact p(x) = N(b, W W^T + I/2).

    The encoder is the true posterior in closed form: precision I + 2 W^T W.
    """
    learner = autoencoder_learner(validation_draws=validation_draws).eval()
    network = learner.autoencoder
    network.encoder = nn.Flatten()
    network.bottleneck.linear = nn.Linear(64, 6)
    network.decoder = nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))
    weight, bias = network.decoder[0].weight.data, network.decoder[0].bias.data
    weight.copy_(torch.linalg.qr(torch.randn(64, 3))[0] * torch.tensor([3.0, 2.0, 1.0]))
    unit, centre = weight / 2, (bias + 1) / 2
    precision = 1 + 2 * unit.square().sum(0)
    mean = 2 * unit.T / precision[:, None]
    network.bottleneck.linear.weight.data.copy_(torch.cat([mean / 2, torch.zeros(3, 64)]))
    offset = mean @ (0.5 - centre)
    network.bottleneck.linear.bias.data.copy_(torch.cat([offset, -precision.log()]))
    return learner, MultivariateNormal(centre, unit @ unit.T + 0.5 * torch.eye(64))


def test_the_log_likelihood_of_a_linear_gaussian_model_is_exact() -> None:
    learner, exact = linear_gaussian()
    images = torch.rand(5, 1, 8, 8) * 2 - 1
    expected = exact.log_prob(((images + 1) / 2).flatten(1))
    # With the true posterior as proposal a single sample gives the exact value.
    torch.testing.assert_close(
        learner.log_likelihood(images, {}, samples=1), expected, atol=1e-3, rtol=1e-4
    )
    learner.autoencoder.bottleneck.linear.bias.data[3:] += 0.5
    worse = learner.log_likelihood(images, {}, samples=1).mean()
    better = learner.log_likelihood(images, {}, samples=2000).mean()
    assert worse < better < expected.mean() + 0.05
    assert math.isclose(better.item(), expected.mean().item(), abs_tol=0.1)


@pytest.mark.parametrize("widened", [0.0, 1.0])
def test_the_elbo_of_a_linear_gaussian_model_is_below_its_likelihood_by_the_kl(
    widened: float,
) -> None:
    """ELBO = log p(x) - KL(q(z|x) || p(z|x)), which is known for a posterior e^widened as wide."""
    learner, exact = linear_gaussian(validation_draws=2000)
    learner.autoencoder.bottleneck.linear.bias.data[3:] += widened
    images = torch.rand(20, 1, 8, 8) * 2 - 1
    gap = 3 * (math.exp(widened) - 1 - widened) / 2
    measured = learner.measure(images, {})
    expected = exact.log_prob(((images + 1) / 2).flatten(1)) - gap
    torch.testing.assert_close(measured["elbo"], expected, atol=0.3, rtol=0)
    assert measured["elbo"].mean().item() == pytest.approx(expected.mean().item(), abs=0.05)
    # At beta 1 the loss is the bound per pixel value, up to the constant of its likelihood.
    constant = 32 * math.log(math.pi)
    torch.testing.assert_close(-64 * measured["loss"] - constant, measured["elbo"])


def test_what_is_measured_is_that_of_drawn_codes_and_the_picture_that_of_their_mean() -> None:
    learner = autoencoder_learner().eval()
    images = torch.rand(5, 1, 8, 8) * 2 - 1
    learner.autoencoder.bottleneck.linear.bias.data[3:] = 2.0  # wide posteriors
    torch.manual_seed(7)
    measured = learner.measure(images, {})
    torch.manual_seed(7)
    drawn = learner.autoencoder.train()(images).output
    mean = learner.autoencoder.eval()(images).output
    torch.testing.assert_close(measured["reconstruction"], SquaredError()(drawn, images))
    torch.testing.assert_close(measured["mse"], SquaredError()(mean.clamp(-1, 1), images))
    torch.manual_seed(7)
    again = learner.measure(images, {})
    assert all(torch.equal(again[name], measured[name]) for name in measured)


def test_the_discrepancy_is_measured_of_drawn_codes() -> None:
    """Posteriors N(0, 1) match the prior where their means, all 0, do not."""
    learner = autoencoder_learner(beta=1.0, code_penalty=maximum_mean_discrepancy).eval()
    for parameter in learner.autoencoder.bottleneck.linear.parameters():
        parameter.data.zero_()
    learner.validation_draws = 20
    measured = learner.measure(torch.rand(100, 1, 8, 8) * 2 - 1, {})
    assert measured["code_penalty"].abs().max() < 0.02
    assert maximum_mean_discrepancy(PlainCode(torch.zeros(100, 3))) > 0.5


def test_a_code_that_is_a_point_is_measured_once_and_has_no_bound() -> None:
    network = autoencoder_learner().autoencoder
    network.bottleneck = PlainBottleneck((16,), codes=3)
    measured = Reconstruction(network.eval(), SquaredError(), sgd, validation_draws=50).measure(
        torch.rand(5, 1, 8, 8) * 2 - 1, {}
    )
    assert not {"kl", "elbo"} & set(measured)


def test_a_corruption_is_measured_against_the_clean_image() -> None:
    learner = autoencoder_learner(corruption=Masking(1.0)).eval()
    images = torch.ones(3, 1, 8, 8)
    measured = learner.measure(images, {})
    assert measured["corrupted_mse"].tolist() == [1.0, 1.0, 1.0]
    torch.testing.assert_close(measured["psnr_gain"], measured["psnr"])
    views = learner.views(images, {})
    assert list(views) == ["image", "corrupted", "restored"]
    assert torch.equal(views["corrupted"], -images)
    torch.testing.assert_close(views["restored"], learner.reconstruct(-images, {}))


def test_a_scheduled_rate_multiplies_the_optimizers_own() -> None:
    learner = autoencoder_learner(rate=Ramp(start=1.0, end=0.0, images=100))
    optimizer = sgd(learner.autoencoder.parameters())
    learner.engine = Engine([optimizer])
    for images_seen, expected in ((0, 0.1), (25, 0.075), (200, 0.0)):
        learner.images_seen = images_seen
        learner.play(torch.rand(2, 1, 8, 8), {})
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)


@pytest.mark.parametrize("layers", [1, 3])
def test_greedy_stages_go_through_all_layers_and_the_codes(layers: int) -> None:
    torch.manual_seed(0)
    network = Autoencoder(
        dense.Encoder(8, 1, [16] * layers),
        functools.partial(GaussianBottleneck, codes=3),
        functools.partial(dense.Decoder, resolution=8, channels=1, widths=[16] * layers),
    )
    stages = functools.partial(Greedy, images_per_block=10)
    learner = Reconstruction(network, SquaredError(), sgd, stages=stages)
    learner.images_seen = 10 * layers
    assert learner.stage == {"block": layers}
    learner.images_seen += 10
    assert learner.stage == {}


def test_an_undivided_penalty_weighs_the_same_at_any_size() -> None:
    learner = autoencoder_learner(beta=0.5, penalty_per_value=False).eval()
    measured = learner.measure(torch.rand(5, 1, 8, 8) * 2 - 1, {})
    expected = measured["reconstruction"] + 0.5 * measured["code_penalty"]
    torch.testing.assert_close(measured["loss"], expected)


def test_a_negative_weight_of_the_penalty_is_refused() -> None:
    with pytest.raises(ValueError, match="beta=-1"):
        autoencoder_learner(beta=-1)
    with pytest.raises(ValueError, match="validation_draws=0"):
        autoencoder_learner(validation_draws=0)


def test_abilities_are_told_apart() -> None:
    assert isinstance(autoencoder_learner(), Generates)
    assert isinstance(autoencoder_learner(), Reconstructs)
    assert isinstance(autoencoder_learner(), Measures)
    assert isinstance(gan_learner(), Generates)
    assert not isinstance(gan_learner(), Reconstructs)
    assert not isinstance(gan_learner(), Measures)


def test_frozen_networks_pass_gradients_but_get_none() -> None:
    network = nn.Linear(2, 1)
    inputs = torch.randn(3, 2, requires_grad=True)
    with frozen(network):
        network(inputs).sum().backward()
    assert inputs.grad is not None
    assert network.weight.grad is None
    assert network.weight.requires_grad


def test_passed_counts_crossed_multiples() -> None:
    learner = gan_learner()
    learner.images_before, learner.images_seen = 90, 100
    assert learner.passed(100)
    assert learner.passed(50)
    assert not learner.passed(64)
    assert not learner.passed(None)
