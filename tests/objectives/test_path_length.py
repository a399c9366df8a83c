"""Path length regularisation against the Jacobian of a linear generator."""

import pytest
import torch
from torch import Tensor

from genlab.objectives.path_length import PathLength


def test_lengths_of_a_linear_generator_are_those_of_its_jacobian() -> None:
    """|J^T y| of x = J w is known for every y; the first mean is 1/100 of the first lengths."""
    torch.manual_seed(0)
    jacobian = torch.randn(5, 16)
    styles = torch.randn(64, 1, 5, requires_grad=True)

    def synthesise(given: Tensor) -> Tensor:
        return (given[:, 0] @ jacobian).view(-1, 1, 4, 4)

    penalty = PathLength(weight=2.0, every=4)
    torch.manual_seed(1)
    found = penalty(styles, synthesise)
    torch.manual_seed(1)
    directions = torch.randn(64, 1, 4, 4).flatten(1) / 4
    lengths = (directions @ jacobian.T).square().sum(1).sqrt()
    mean = 0.01 * lengths.mean()
    torch.testing.assert_close(penalty.mean, mean)
    torch.testing.assert_close(found, 4 * 2.0 * (lengths - mean).square().mean())


def test_the_mean_settles_on_the_mean_length() -> None:
    penalty = PathLength(decay=0.1)
    styles = torch.randn(512, 2, 3, requires_grad=True)
    for _ in range(100):
        penalty(styles, lambda given: given.mean(1).repeat(1, 4).view(-1, 3, 2, 2))
    # J^T y is N(0, I) in three dimensions, and each layer has half of it.
    expected = torch.randn(100_000, 3).norm(dim=1).mean() / 2
    assert penalty.mean.item() == pytest.approx(expected.item(), rel=0.05)


def test_it_is_due_in_every_so_many_steps() -> None:
    assert [PathLength(every=4).due(step) for step in range(5)] == [True, *[False] * 3, True]
    assert not PathLength(weight=0.0).due(0)


def test_wrong_settings_are_refused() -> None:
    for settings in ({"weight": -1.0}, {"every": 0}, {"share": 0.0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            PathLength(**settings)
