"""Gradient penalties against their closed forms for a linear critic D(x) = w.x."""

import pytest
import torch
from torch import Tensor

from genlab.remedies.penalties import R1, R2, Dragan, GradientPenalty, Penalty

WEIGHT = torch.linspace(-1, 1, 12).view(1, 3, 2, 2)
SQUARE = WEIGHT.square().sum().item()


def linear(images: Tensor) -> Tensor:
    return (images * WEIGHT).sum((1, 2, 3)).unsqueeze(1)


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 3, 2, 2, generator=generator), torch.randn(
        5, 3, 2, 2, generator=generator
    )


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (GradientPenalty(10.0), 10 * (SQUARE**0.5 - 1) ** 2),
        (GradientPenalty(10.0, target=0.0), 10 * SQUARE),
        (Dragan(10.0), 10 * (SQUARE**0.5 - 1) ** 2),
        (R1(3.0), 1.5 * SQUARE),
        (R2(3.0), 1.5 * SQUARE),
        (R1(3.0, every=4), 4 * 1.5 * SQUARE),
    ],
)
def test_penalties_of_a_linear_critic_are_exact(images, penalty: Penalty, expected: float) -> None:
    assert penalty(linear, *images).item() == pytest.approx(expected, rel=1e-5)


def test_points_lie_where_the_papers_put_them(images) -> None:
    reals, fakes = (values.double() for values in images)
    assert torch.equal(R1(1.0).points(reals, fakes), reals)
    assert torch.equal(R2(1.0).points(reals, fakes), fakes)
    between = (GradientPenalty(1.0).points(reals, fakes) - reals) / (fakes - reals)
    shares = between.flatten(1)
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares), atol=1e-6, rtol=0)
    assert ((shares > -1e-6) & (shares < 1 + 1e-6)).all()
    moved = Dragan(1.0, reach=0.5).points(reals, fakes) - reals
    assert (moved >= 0).all()
    assert (moved <= 0.5 * reals.std()).all()


def test_a_pack_has_one_gradient(images) -> None:
    """A critic of pairs pays for the gradient by both images together."""
    reals, fakes = (values[:4].double() for values in images)

    def of_pairs(points: Tensor) -> Tensor:
        return linear(points).view(2, 2).sum(1, keepdim=True)

    pair = 2 * SQUARE
    found = GradientPenalty(10.0)(of_pairs, reals, fakes, pack=2)
    assert found.item() == pytest.approx(10 * (pair**0.5 - 1) ** 2, rel=1e-5)
    assert R1(3.0)(of_pairs, reals, fakes, 2).item() == pytest.approx(1.5 * pair, rel=1e-5)
    shares = (GradientPenalty(1.0).points(reals, fakes, 2) - reals) / (fakes - reals)
    first, second = shares.unflatten(0, (2, 2)).unbind(1)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)


def test_lazily_and_every_step_agree_over_a_cycle(images) -> None:
    every, lazily = R1(2.0), R1(2.0, every=4)
    whole = sum(every(linear, *images) for step in range(8) if every.due(step))
    sparse = sum(lazily(linear, *images) for step in range(8) if lazily.due(step))
    torch.testing.assert_close(whole, sparse)


def test_penalties_reach_the_weights_through_the_second_derivative(images) -> None:
    """d/dw of gamma / 2 |w|^2 is gamma w."""
    weight = WEIGHT.clone().requires_grad_()
    penalty = R1(3.0)(lambda x: (x * weight).sum((1, 2, 3)).unsqueeze(1), *images)
    (gradient,) = torch.autograd.grad(penalty, weight)
    torch.testing.assert_close(gradient, 3.0 * WEIGHT)


def test_a_critic_that_looks_at_nothing_has_a_finite_penalty(images) -> None:
    weight = torch.zeros_like(WEIGHT).requires_grad_()
    penalty = GradientPenalty(1.0)(lambda x: (x * weight).sum((1, 2, 3)).unsqueeze(1), *images)
    (gradient,) = torch.autograd.grad(penalty, weight)
    assert penalty.item() == pytest.approx(1.0, abs=1e-5)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("settings", [{"weight": -1.0}, {"weight": 1.0, "every": 0}])
def test_impossible_settings_are_refused(settings) -> None:
    with pytest.raises(ValueError, match="must"):
        R1(**settings)
