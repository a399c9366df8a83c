import pytest
import torch

from genlab.latent import change, factorised, in_deviations, principal


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_direction_of_a_linear_generator_is_the_attributes_own_axis() -> None:
    # Attribute k is what coordinate k does, and the scores of 1 and 2 take some of it in.
    scores = torch.tensor([[1.0, 0, 0, 0], [0.8, 1, 0, 0], [-0.5, 0.3, 1, 0]])
    gradients = scores[:, None].expand(-1, 50, -1)
    direction = change(gradients[0], gradients[1:], ridge=1e-6)
    exact = torch.linalg.pinv(scores)[:, 0]
    assert torch.allclose(direction, exact, atol=1e-4)
    assert torch.allclose(scores @ direction, torch.tensor([1.0, 0, 0]), atol=1e-4)


def test_changes_of_other_scores_count_that_cancel_out_over_codes() -> None:
    own = torch.tensor([[1.0, 1.0]]).expand(2, -1)
    other = torch.tensor([[5.0, 0.0], [-5.0, 0.0]])  # nothing on average
    direction = change(own, [other], ridge=0.01)
    assert direction.sum().item() == pytest.approx(1)
    assert abs(direction[0]) < 0.02


def test_a_ridge_gives_the_plain_gradient_at_last() -> None:
    own, other = draw(20, 5), draw(20, 5, seed=1)
    mean = own.mean(0)
    assert torch.allclose(change(own, [other], ridge=1e6), mean / mean.square().sum(), atol=1e-4)
    assert torch.allclose(change(own, []), mean / mean.square().sum(), atol=1e-4)


def test_pictures_that_ignore_their_codes_have_no_direction() -> None:
    with pytest.raises(ValueError, match="do not change"):
        change(torch.zeros(4, 3), [])


def test_components_are_the_axes_of_most_variance() -> None:
    codes = draw(5000, 4) * torch.tensor([1.0, 5.0, 0.1, 2.0])
    found = principal(codes, 2)
    assert torch.allclose(found.abs(), torch.eye(4)[[1, 3]], atol=0.05)
    assert torch.allclose(
        in_deviations(found, codes).norm(dim=1), torch.tensor([5.0, 2.0]), rtol=0.05
    )


def test_factorised_directions_are_those_that_layers_magnify_most() -> None:
    weights = [torch.diag(torch.tensor([1.0, 3.0, 0.5])), torch.diag(torch.tensor([2.0, 0, 0.5]))]
    found = factorised(weights, 2)
    assert torch.allclose(found.abs(), torch.eye(3)[[1, 0]], atol=1e-6)
