import torch

from genlab.latent import LatentDirection, ganspace, in_deviations, sefa


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_components_are_the_axes_of_most_variance() -> None:
    codes = draw(5000, 4) * torch.tensor([1.0, 5.0, 0.1, 2.0])
    found = ganspace(codes, 2)
    assert torch.allclose(found.abs(), torch.eye(4)[[1, 3]], atol=0.05)
    assert torch.allclose(
        in_deviations(found, codes).norm(dim=1), torch.tensor([5.0, 2.0]), rtol=0.05
    )


def test_factorised_directions_are_those_that_layers_magnify_most() -> None:
    weights = [torch.diag(torch.tensor([1.0, 3.0, 0.5])), torch.diag(torch.tensor([2.0, 0, 0.5]))]
    found = sefa(weights, 2)
    assert torch.allclose(found.abs(), torch.eye(3)[[1, 0]], atol=1e-6)


def test_steps_depend_on_codes_and_add_up() -> None:
    codes = draw(5, 2, 3)
    constant = LatentDirection.constant(torch.tensor([1.0, 2.0, 3.0]))
    assert torch.equal(constant(codes), torch.tensor([1.0, 2.0, 3.0]).expand(5, 2, 3))
    turned = LatentDirection(torch.zeros(3), draw(3, 3, seed=1))
    both = constant + 2 * turned
    assert torch.allclose(both(codes), constant(codes) + 2 * codes @ turned.matrix, atol=1e-6)
