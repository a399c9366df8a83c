import pytest
import torch
import torch.nn.functional as F

from genlab.objectives.adversarial import (
    certainty,
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    threshold,
    wasserstein,
)

LOSSES = [hinge, least_squares, minimax, non_saturating, relativistic, wasserstein]


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(16, 1, generator=generator), torch.randn(16, 1, generator=generator)


@pytest.mark.parametrize("loss", [non_saturating, minimax])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_critic_minimises_binary_cross_entropy(loss, smoothing, logits) -> None:
    real, fake = logits
    target = torch.full_like(real, 1 - smoothing)
    expected = F.binary_cross_entropy_with_logits(
        real, target
    ) + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    torch.testing.assert_close(loss(real, fake, smoothing).critic, expected)


def test_the_generator_games_are_those_of_the_paper(logits) -> None:
    real, fake = logits
    judged = torch.sigmoid(fake)
    torch.testing.assert_close(non_saturating(real, fake).generator, -judged.log().mean())
    torch.testing.assert_close(minimax(real, fake).generator, (1 - judged).log().mean())


def test_both_games_push_the_generator_the_same_way_at_different_strength() -> None:
    fake = torch.full((4, 1), -6.0, requires_grad=True)  # a critic sure of itself
    real = torch.full((4, 1), 6.0)
    (saturating,) = torch.autograd.grad(minimax(real, fake).generator, fake)
    (strong,) = torch.autograd.grad(non_saturating(real, fake).generator, fake)
    assert (saturating < 0).all()
    assert (strong < 100 * saturating).all()


def test_least_squares_is_the_papers_around_a_half(logits) -> None:
    """With D' = D + 1/2 the targets are the paper's 1 and 0."""
    real, fake = logits
    losses = least_squares(real - 0.5, fake - 0.5)
    expected = 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()
    torch.testing.assert_close(losses.critic, expected)
    torch.testing.assert_close(losses.generator, 0.5 * (fake - 1).square().mean())


def test_hinge_has_no_gradient_beyond_its_margins() -> None:
    real = torch.tensor([[2.0], [0.5]], requires_grad=True)
    fake = torch.tensor([[-2.0], [0.5]], requires_grad=True)
    gradients = torch.autograd.grad(hinge(real, fake).critic, [real, fake])
    assert gradients[0].flatten().tolist() == [0.0, -0.5]
    assert gradients[1].flatten().tolist() == [0.0, 0.5]


def test_wasserstein_is_the_difference_of_means(logits) -> None:
    real, fake = logits
    losses = wasserstein(real, fake)
    torch.testing.assert_close(losses.critic, fake.mean() - real.mean())
    torch.testing.assert_close(losses.generator, -fake.mean())


def test_relativistic_does_not_see_what_both_logits_share(logits) -> None:
    real, fake = logits
    losses, shifted = relativistic(real, fake), relativistic(real + 7, fake + 7)
    torch.testing.assert_close(losses.critic, shifted.critic)
    expected = F.binary_cross_entropy_with_logits(real - fake, torch.ones_like(real))
    torch.testing.assert_close(losses.critic, expected)
    torch.testing.assert_close(losses.generator, relativistic(fake, real).critic)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not wasserstein])
def test_smoothing_concerns_the_critic_and_reals_alone(loss, logits) -> None:
    real, fake = (values.requires_grad_() for values in logits)
    plain, smoothed = loss(real, fake), loss(real, fake, smoothing=0.2)
    torch.testing.assert_close(plain.generator, smoothed.generator)
    assert smoothed.critic != plain.critic
    # A real that the critic is very sure of costs more than one it is less sure of.
    sure = torch.tensor([[50.0]], requires_grad=True)
    gradient = torch.autograd.grad(loss(sure, -sure.detach(), smoothing=0.2).critic, sure)[0]
    assert gradient.item() > 0
    with pytest.raises(ValueError, match=r"smoothing=0.5"):
        loss(real, fake, smoothing=0.5)


def test_the_wasserstein_loss_has_no_labels_to_smooth(logits) -> None:
    with pytest.raises(ValueError, match=r"smoothing=0.1 has no meaning"):
        wasserstein(*logits, smoothing=0.1)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_of_differences_say_so_and_no_others(loss, logits) -> None:
    """A constant added to all logits changes nothing where only differences count."""
    real, fake = logits
    told = loss(real, fake)
    same = torch.isclose(told.critic, loss(real + 3, fake + 3).critic)
    assert told.relative == bool(same)
    assert told.labelled == (loss is not wasserstein)


def skewed(count: int, generator: torch.Generator) -> torch.Tensor:
    """Logits far from symmetric: exponential, (count, 1)."""
    return torch.empty(count, 1).exponential_(generator=generator)


def test_a_relative_critic_that_cannot_tell_has_no_certainty_wherever_its_logits_are() -> None:
    generator = torch.Generator().manual_seed(0)
    for constant in (-100.0, 0.0, 100.0):
        real, fake = (skewed(20_000, generator) + constant for _ in range(2))
        assert certainty(real, fake, relative=True).item() == pytest.approx(0, abs=0.02)
        middle = threshold(real, fake, relative=True)
        assert middle.item() == pytest.approx(constant + 1, abs=0.05)


def test_certainty_is_how_often_a_critic_is_right() -> None:
    """Unit Gaussians 2 d apart: Phi(d) of the reals above 0, Phi(sqrt 2 d) of pairs in order."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(20_000, 1, generator=generator) + 0.8416  # Phi is .8
    fake = torch.randn(20_000, 1, generator=generator) - 0.8416
    assert certainty(real, fake, relative=False).item() == pytest.approx(0.6, abs=0.02)
    expected = pytest.approx(2 * 0.883 - 1, abs=0.02)
    assert certainty(real + 50, fake + 50, relative=True).item() == expected
    assert certainty(real + 50, real + 40, relative=True).item() == 1
