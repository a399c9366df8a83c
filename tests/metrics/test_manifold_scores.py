"""Precision, recall, density and coverage against loops and on sets with a known answer."""

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab.metrics import ManifoldScores, manifold, manifold_scores


def normal(count: int, width: int, seed: int, scale: float = 1.0) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale


def modes(centres: list[int], each: int, seed: int) -> Tensor:
    """Tight clusters far apart, one per centre."""
    middle = torch.tensor(centres).repeat_interleave(each)[:, None] * 100.0
    return middle + normal(len(centres) * each, 4, seed)


def naive(real: np.ndarray, fake: np.ndarray) -> ManifoldScores:
    def distance(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.sqrt(((x - y) ** 2).sum()))

    def radius(points: np.ndarray, i: int, k: int) -> float:
        return sorted(distance(points[i], p) for j, p in enumerate(points) if j != i)[k - 1]

    real3 = [radius(real, i, 3) for i in range(len(real))]
    fake3 = [radius(fake, i, 3) for i in range(len(fake))]
    real5 = [radius(real, i, 5) for i in range(len(real))]
    d = np.array([[distance(x, y) for y in fake] for x in real])
    inside = d < np.array(real5)[:, None]
    return ManifoldScores(
        precision=float((d <= np.array(real3)[:, None]).any(0).mean()),
        recall=float((d <= np.array(fake3)[None]).any(1).mean()),
        density=float(inside.sum() / (5 * len(fake))),
        coverage=float(inside.any(1).mean()),
    )


@pytest.mark.parametrize("chunk", [7, 1024])
def test_scores_are_the_loops(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifold, "CHUNK", chunk)
    real, fake = normal(40, 5, 0), normal(33, 5, 1, scale=1.2) + 0.3
    expected = naive(real.double().numpy(), fake.double().numpy())
    scores = manifold_scores(real, fake)
    assert scores == expected
    assert 0 < scores.precision < 1
    assert 0 < scores.coverage < 1


def test_identical_sets() -> None:
    features = normal(200, 8, 0)
    scores = manifold_scores(features, features)
    assert scores == ManifoldScores(precision=1, recall=1, density=1, coverage=1)


def test_samples_of_one_distribution_have_density_one() -> None:
    scores = manifold_scores(normal(2000, 3, 0), normal(2000, 3, 1))
    assert scores.density == pytest.approx(1, abs=0.05)
    # Naeem et al. 2020, section 3.3: 1 - 2^-k for equally large sets.
    assert scores.coverage == pytest.approx(1 - 2**-5, abs=0.02)


def test_sets_far_apart() -> None:
    scores = manifold_scores(modes([0], 50, 0), modes([1], 50, 1))
    assert scores == ManifoldScores(precision=0, recall=0, density=0, coverage=0)


def test_half_of_the_modes_missing() -> None:
    real = modes([0, 1, 2, 3], 300, 0)
    scores = manifold_scores(real, real[:600])
    assert scores == ManifoldScores(precision=1, recall=0.5, density=1, coverage=0.5)

    scores = manifold_scores(real, modes([0, 1], 600, 1))
    assert scores.precision > 0.9
    assert scores.recall == pytest.approx(0.5, abs=0.05)
    assert scores.density == pytest.approx(1, abs=0.1)
    assert scores.coverage == pytest.approx(0.5, abs=0.02)


def test_copies_are_at_distance_zero_far_from_the_origin() -> None:
    points = (normal(4, 16, 0) * 3 + 1000).repeat(10, 1)
    scores = manifold_scores(points, points)
    assert scores.precision == scores.recall == 1


def test_the_origin_does_not_matter() -> None:
    real, fake = normal(100, 6, 0).double(), normal(100, 6, 1).double()
    assert manifold_scores(real, fake) == manifold_scores(real + 1e4, fake + 1e4)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6 samples are needed, not 5"):
        manifold_scores(normal(20, 3, 0), normal(5, 3, 1))
