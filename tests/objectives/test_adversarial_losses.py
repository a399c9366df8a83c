import pytest
import torch
import torch.nn.functional as F

from genlab.objectives.adversarial import minimax, non_saturating


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(16, 1, generator=generator), torch.randn(16, 1, generator=generator)


@pytest.mark.parametrize("loss", [non_saturating, minimax])
def test_the_critic_minimises_binary_cross_entropy(loss, logits) -> None:
    real, fake = logits
    expected = F.binary_cross_entropy_with_logits(
        real, torch.ones_like(real)
    ) + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    torch.testing.assert_close(loss(real, fake).critic, expected)


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
