import pytest
import torch
from torch import nn

from genlab.learners.abilities import Generates, Measures, Reconstructs
from genlab.learners.adversarial import Adversarial
from genlab.learners.learner import frozen, normalise
from genlab.learners.reconstruction import Reconstruction
from genlab.networks import Autoencoder, GaussianBottleneck, dense
from genlab.objectives.adversarial import non_saturating
from genlab.objectives.codes import gaussian_kl
from genlab.objectives.reconstruction import SquaredError


def sgd(parameters) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.1)


def autoencoder_learner(beta: float = 1.0) -> Reconstruction:
    torch.manual_seed(0)
    network = Autoencoder(
        dense.Encoder(8, 1, [16]), GaussianBottleneck(16, 3), dense.Decoder(3, 8, 1, [16])
    )
    return Reconstruction(network, SquaredError(), gaussian_kl, beta, sgd)


def gan_learner() -> Adversarial:
    torch.manual_seed(0)
    return Adversarial(
        dense.Decoder(2, 8, 1, [16], output="tanh"),
        dense.Encoder(8, 1, [16, 1], activation="linear"),
        latent_size=2,
        loss=non_saturating,
        generator_optimizer=sgd,
        critic_optimizer=sgd,
        ema_half_life_images=0,
    )


def test_normalise_maps_bytes_to_minus_one_to_one() -> None:
    assert normalise(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_the_loss_is_error_plus_beta_kl_per_value() -> None:
    learner = autoencoder_learner(beta=4.0).eval()
    measured = learner.measure(torch.rand(5, 1, 8, 8) * 2 - 1, {})
    expected = measured["reconstruction"] + 4.0 * measured["code_penalty"] / 64
    torch.testing.assert_close(measured["loss"], expected)
    torch.testing.assert_close(measured["mse"], measured["reconstruction"], atol=0.05, rtol=0)


def test_abilities_are_told_apart() -> None:
    assert isinstance(autoencoder_learner(), Generates)
    assert isinstance(autoencoder_learner(), Reconstructs)
    assert isinstance(autoencoder_learner(), Measures)
    assert isinstance(gan_learner(), Generates)
    assert not isinstance(gan_learner(), Reconstructs)
    assert not isinstance(gan_learner(), Measures)


def test_a_step_is_the_two_players_gradients_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a step by hand: critic on detached fakes, then generator against the new critic."""
    images = torch.rand(6, 1, 8, 8) * 2 - 1
    learner, twin = gan_learner(), gan_learner()
    optimizers = learner.optimizers_of_players()
    monkeypatch.setattr(Adversarial, "optimizers", lambda self, use_pl_optimizer: optimizers)
    monkeypatch.setattr(Adversarial, "manual_backward", lambda self, loss: loss.backward())
    monkeypatch.setattr(
        Adversarial, "trainer", property(lambda self: type("T", (), {"world_size": 1})())
    )
    torch.manual_seed(5)
    losses = learner.play(images, {})

    torch.manual_seed(5)
    fakes = twin.generator(torch.randn(6, 2))
    critic_loss = non_saturating(twin.critic(images), twin.critic(fakes.detach())).critic
    for p, g in zip(
        twin.critic.parameters(),
        torch.autograd.grad(critic_loss, list(twin.critic.parameters())),
        strict=True,
    ):
        p.data -= 0.1 * g
    generator_loss = nn.functional.softplus(-twin.critic(fakes)).mean()
    for p, g in zip(
        twin.generator.parameters(),
        torch.autograd.grad(generator_loss, list(twin.generator.parameters())),
        strict=True,
    ):
        p.data -= 0.1 * g
    torch.testing.assert_close(losses["critic_loss"], critic_loss.detach())
    torch.testing.assert_close(losses["generator_loss"], generator_loss.detach())
    for name in ("generator", "critic"):
        for (key, ours), theirs in zip(
            getattr(learner, name).state_dict().items(),
            getattr(twin, name).state_dict().values(),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, msg=key)


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
