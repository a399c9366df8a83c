"""Fidelity and variety apart from each other, by nearest neighbours among features."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.metrics.matrix import feature_matrices

# The papers' choices, which published values share.
PRECISION_NEIGHBOURS = 3
DENSITY_NEIGHBOURS = 5

# Rows compared with the whole other set at once: 80 MB for a set of 10 000.
CHUNK = 1024


@dataclass(frozen=True)
class ManifoldScores:
    """All are shares in [0, 1] but for density, whose expectation is 1 for equal distributions."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(real: Tensor, fake: Tensor) -> ManifoldScores:
    """Precision and recall (3 neighbours), density and coverage (5 neighbours).

    A set's manifold is the union of the balls around its samples that reach to the k-th nearest
    other sample. Kynkaanniemi et al. 2019, equations 1 and 2: precision is the share of fakes in
    the reals' manifold, recall the share of reals in the fakes'. Naeem et al. 2020, section 3:
    density is the mean number of real balls around a fake over k, coverage the share of real
    balls that hold a fake. As in the authors' programs, balls are closed for the first pair
    and open for the second.

    Memory is that of the features in float64 and a few matrices of 1024 by N.

    Args:
        real: features (N, D).
        fake: features (M, D).

    Raises:
        ValueError: five samples or fewer in a set, features that are not finite, or sets that
            differ in D.
    """
    real, fake = feature_matrices(real, fake, fewest=DENSITY_NEIGHBOURS + 1)
    # Distances stay the same, and lose the fewest digits about the middle.
    middle = real.mean(0)
    real, fake = real - middle, fake - middle
    real_precision, real_density = _squared_radii(real)
    fake_recall, _ = _squared_radii(fake)

    precise = torch.zeros(len(fake), dtype=torch.bool, device=fake.device)
    recalled, covered, balls = 0, 0, 0
    for rows, squared in _squared_distances(real, fake):
        precise |= (squared <= real_precision[rows, None]).any(0)
        recalled += int((squared <= fake_recall).any(1).sum())
        inside = squared < real_density[rows, None]
        covered += int(inside.any(1).sum())
        balls += int(inside.sum())
    return ManifoldScores(
        precision=float(precise.double().mean()),
        recall=recalled / len(real),
        density=balls / (DENSITY_NEIGHBOURS * len(fake)),
        coverage=covered / len(real),
    )


def _squared_radii(features: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distances (N,) to the neighbours that bound either pair's balls."""
    nearest = []
    for rows, squared in _squared_distances(features, features):
        squared[:, rows].fill_diagonal_(torch.inf)  # a sample is not its own neighbour
        nearest.append(squared.topk(DENSITY_NEIGHBOURS, largest=False).values)
    radii = torch.cat(nearest)
    return radii[:, PRECISION_NEIGHBOURS - 1], radii[:, DENSITY_NEIGHBOURS - 1]


def _squared_distances(a: Tensor, b: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Squared distances of some rows of a (N, D) to all of b (M, D), with which rows these are."""
    squares = b.square().sum(1)
    # |x|^2 + |y|^2 - 2 x.y leaves rounding where x = y; copies must be at distance 0.
    rounding = 1e-12 * float(squares.max())
    for start in range(0, len(a), CHUNK):
        rows = slice(start, min(start + CHUNK, len(a)))
        part = a[rows]
        squared = torch.addmm(squares.expand(len(part), -1), part, b.mT, alpha=-2)
        squared += part.square().sum(1, keepdim=True)
        yield rows, F.threshold(squared, rounding, 0.0, inplace=True)
