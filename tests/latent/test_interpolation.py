import pytest
import torch

from genlab.latent import PATHS, linear, spherical

T = torch.linspace(0, 1, 5)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_paths_begin_and_end_where_they_should(name: str, size: int) -> None:
    starts, ends = normal(6, size), normal(6, size, seed=1)
    path = PATHS[name](starts, ends, T)
    assert path.shape == (6, 5, size)
    assert path.dtype == torch.float32
    torch.testing.assert_close(path[:, 0], starts)
    torch.testing.assert_close(path[:, -1], ends)


def test_the_straight_line_has_its_mean_in_the_middle() -> None:
    starts, ends = normal(3, 7), normal(3, 7, seed=1)
    torch.testing.assert_close(linear(starts, ends, T)[:, 2], (starts + ends) / 2)


def test_slerp_keeps_the_length_and_turns_evenly() -> None:
    unit = torch.nn.functional.normalize
    starts, ends = 3 * unit(normal(4, 9)), 3 * unit(normal(4, 9, seed=1))
    path = spherical(starts, ends, T)
    torch.testing.assert_close(path.norm(dim=2), torch.full((4, 5), 3.0))
    turns = (path[:, 1:] * path[:, :-1]).sum(2).div(9).acos()
    whole = (starts * ends).sum(1).div(9).acos()
    torch.testing.assert_close(turns, (whole / 4)[:, None].expand(4, 4), atol=1e-5, rtol=1e-4)


def test_slerp_by_hand() -> None:
    path = spherical(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 4.0]]), T)
    middle = 3 * 0.5**0.5
    torch.testing.assert_close(path[0, 2], torch.tensor([middle, middle]))
    torch.testing.assert_close(path.norm(dim=2)[0], torch.tensor([2.0, 2.5, 3.0, 3.5, 4.0]))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [2.0, 4.0]),
        ([1.0, 2.0], [-1.0, -2.0]),
        ([0.0, 0.0], [1.0, 2.0]),
        ([0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_slerp_is_the_straight_line_where_no_circle_is_defined(start, end) -> None:
    starts, ends = torch.tensor([start]), torch.tensor([end])
    torch.testing.assert_close(spherical(starts, ends, T), linear(starts, ends, T))


def test_slerp_near_parallel_stays_accurate() -> None:
    starts = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    ends = torch.tensor([[1.0, 1e-5]], dtype=torch.float64)
    path = spherical(starts, ends, T.double())
    torch.testing.assert_close(path, linear(starts, ends, T.double()), atol=1e-9, rtol=0)
