"""What every metric on features asks of its input."""

import torch
from torch import Tensor


def feature_matrix(features: Tensor, fewest: int = 2) -> Tensor:
    """Features (N, D) of any floating type in float64, on the same device.

    Float64 throughout, because every metric here subtracts large sums from each other; it also
    keeps the values apart from `torch.set_float32_matmul_precision`.

    Raises:
        ValueError: not a matrix, fewer than `fewest` rows, or entries that are not finite.
    """
    if features.ndim != 2:
        raise ValueError(f"features must be (N, D), not {tuple(features.shape)}")
    if len(features) < fewest:
        raise ValueError(f"at least {fewest} samples are needed, not {len(features)}")
    if not torch.isfinite(features).all():
        raise ValueError("features must be finite: there are NaN or infinite entries")
    return features.detach().double()


def feature_matrices(a: Tensor, b: Tensor, fewest: int = 2) -> tuple[Tensor, Tensor]:
    """Two sets of features (N, D) and (M, D) as `feature_matrix` gives them.

    Raises:
        ValueError: as `feature_matrix`, or the sets differ in D.
    """
    a, b = feature_matrix(a, fewest), feature_matrix(b, fewest)
    check_same_width(a.shape[1], b.shape[1])
    return a, b


def check_same_width(a: int, b: int) -> None:
    """Refuse two sets whose numbers of features differ.

    Raises:
        ValueError: a != b.
    """
    if a != b:
        raise ValueError(f"both sets must have the same features, not {a} and {b} of them")
