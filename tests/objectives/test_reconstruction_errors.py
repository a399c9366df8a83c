import torch
import torch.nn.functional as F

from genlab.objectives.reconstruction import BinaryCrossEntropy, SquaredError


def test_squared_error_is_on_the_unit_range() -> None:
    output, target = torch.ones(2, 3, 4, 4), -torch.ones(2, 3, 4, 4)
    assert SquaredError()(output, target).tolist() == [1.0, 1.0]  # (1 - 0)^2, white for black
    assert SquaredError().picture(torch.tensor([3.0, -3.0])).tolist() == [1.0, -1.0]


def test_cross_entropy_is_least_at_the_target_and_pictured_as_its_mean() -> None:
    target = torch.linspace(-0.9, 0.9, 16).reshape(1, 1, 4, 4)
    logits = torch.logit((target + 1) / 2).requires_grad_()
    objective = BinaryCrossEntropy()
    (gradient,) = torch.autograd.grad(objective(logits, target).sum(), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-7, rtol=0)
    torch.testing.assert_close(objective.picture(logits), target)
    expected = F.binary_cross_entropy(torch.sigmoid(logits), (target + 1) / 2)
    torch.testing.assert_close(objective(logits, target)[0], expected)
