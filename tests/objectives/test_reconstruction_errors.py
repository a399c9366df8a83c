import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal

from genlab.objectives.reconstruction import BinaryCrossEntropy, GaussianLikelihood, SquaredError


def test_squared_error_is_on_the_unit_range() -> None:
    output, target = torch.ones(2, 3, 4, 4), -torch.ones(2, 3, 4, 4)
    assert SquaredError()(output, target).tolist() == [1.0, 1.0]  # (1 - 0)^2, white for black
    assert SquaredError().image(torch.tensor([3.0, -3.0])).tolist() == [1.0, -1.0]


def test_cross_entropy_is_least_at_the_target_and_pictured_as_its_mean() -> None:
    target = torch.linspace(-0.9, 0.9, 16).reshape(1, 1, 4, 4)
    logits = torch.logit((target + 1) / 2).requires_grad_()
    objective = BinaryCrossEntropy()
    (gradient,) = torch.autograd.grad(objective(logits, target).sum(), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-7, rtol=0)
    torch.testing.assert_close(objective.image(logits), target)
    expected = F.binary_cross_entropy(torch.sigmoid(logits), (target + 1) / 2)
    torch.testing.assert_close(objective(logits, target)[0], expected)


def test_log_probabilities_are_those_of_torch_distributions() -> None:
    torch.manual_seed(0)
    target = torch.rand(4, 2, 3, 3) * 2 - 1
    unit = (target + 1) / 2
    mean = torch.randn(4, 2, 3, 3)
    normal = Normal((mean + 1) / 2, 0.5**0.5)
    torch.testing.assert_close(
        SquaredError().log_probability(mean, target), normal.log_prob(unit).flatten(1).sum(1)
    )
    log_variance = torch.randn(4, 2, 3, 3)
    normal = Normal((mean + 1) / 2, (0.5 * log_variance).exp())
    output = torch.cat([mean, log_variance], 1)
    torch.testing.assert_close(
        GaussianLikelihood().log_probability(output, target),
        normal.log_prob(unit).flatten(1).sum(1),
    )
    binary = target.sign()
    bernoulli = Bernoulli(logits=mean)
    torch.testing.assert_close(
        BinaryCrossEntropy().log_probability(mean, binary),
        bernoulli.log_prob((binary + 1) / 2).flatten(1).sum(1),
    )


def test_a_gaussian_likelihood_is_best_at_the_errors_own_variance() -> None:
    target = torch.randn(1, 1, 50, 50, generator=torch.Generator().manual_seed(0)) * 0.2
    log_variances = torch.linspace(-8, 0, 81)
    losses = [
        GaussianLikelihood()(
            torch.stack([torch.zeros(50, 50), torch.full((50, 50), v)])[None], target
        )
        for v in log_variances
    ]
    best = log_variances[torch.stack(losses).argmin()]
    assert abs(best.item() - (target / 2).square().mean().log().item()) < 0.1
