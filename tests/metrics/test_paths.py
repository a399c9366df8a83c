import pytest
import torch

from genlab.latent import linear, spherical
from genlab.metrics.paths import path_length, separability


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


@pytest.mark.parametrize("end", [True, False])
def test_straight_paths_of_a_linear_generator(end: bool) -> None:
    starts, ends, matrix = draw(50, 6), draw(50, 6, seed=1), draw(9, 6, seed=2)
    positions = torch.zeros(50) if end else torch.linspace(0, 1, 50)
    found = path_length(starts, ends, positions.double(), linear, lambda c: c @ matrix.T)
    exact = ((ends - starts) @ matrix.T).square().sum(1).mean()
    assert found == pytest.approx(float(exact), rel=1e-6)


def test_great_circles_are_as_long_as_their_angle() -> None:
    starts, ends = (draw(50, 6, seed=seed) for seed in (0, 1))
    starts, ends = (side / side.norm(dim=1, keepdim=True) for side in (starts, ends))
    found = path_length(starts, ends, torch.rand(50).double(), spherical, lambda codes: codes)
    angles = (starts * ends).sum(1).arccos()
    assert found == pytest.approx(float(angles.square().mean()), rel=1e-6)


def test_what_a_hyperplane_parts_leaves_nothing_open() -> None:
    codes = draw(2000, 4)
    probabilities = (20 * codes[:, :2]).sigmoid()
    assert separability(codes, probabilities) == pytest.approx(1, abs=0.02)


def test_what_codes_say_nothing_of_is_as_open_as_a_coin() -> None:
    codes = draw(4000, 2)
    coin = (draw(4000, 2, seed=3) > 0).double()
    assert separability(codes, coin) == pytest.approx(4, rel=0.02)  # 2 attributes, ln 2 each
    assert separability(codes, torch.ones(4000, 3)) == 1
