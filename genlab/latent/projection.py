"""Codes seen in a plane: functions of (codes, seed), by name in PROJECTIONS.

`codes` are float (N, n), N at least FEWEST, not all equal; `seed` is that of whatever is drawn.
Equal arguments give equal planes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

FEWEST = 3
MOST_COMPONENTS = 50
PERPLEXITY = 30.0
NEIGHBOURS = 15


class Plane(NamedTuple):
    """Points (N, 2) and what they are; axes without a meaning of their own have no name."""

    points: np.ndarray
    title: str
    axes: tuple[str, str] = ("", "")


def pca(codes: np.ndarray, seed: int) -> Plane:
    """The two directions of most variance (Pearson 1901); a single code is spread sideways."""
    if codes.shape[1] == 1:
        return _line(codes[:, 0], seed, "the only code")
    points, shares = _components(codes, 2, seed)
    axes = [f"component {i}: {share:.1%} of the variance" for i, share in enumerate(shares, 1)]
    return Plane(points, "PCA", (axes[0], axes[1]))


def tsne(codes: np.ndarray, seed: int) -> Plane:
    """t-SNE, which keeps neighbours together; distances between groups mean little.

    Van der Maaten & Hinton 2008, https://www.jmlr.org/papers/v9/vandermaaten08a, of the leading 50
    principal components where there are more codes. The perplexity is 30, or a third of the
    other images where these are few.
    """
    from sklearn.manifold import TSNE

    reduced = _leading(codes, seed)
    perplexity = min(PERPLEXITY, (len(codes) - 1) / 3)
    init = "pca" if reduced.shape[1] >= 2 else "random"
    model = TSNE(perplexity=perplexity, init=init, random_state=seed)
    return Plane(model.fit_transform(reduced), f"t-SNE (perplexity {perplexity:.3g})")


def umap(codes: np.ndarray, seed: int) -> Plane:
    """UMAP, which keeps neighbours together and more of the whole than t-SNE.

    McInnes, Healy, Melville 2018, https://arxiv.org/abs/1802.03426, of the leading 50 principal
    components where there are more codes, by 15 neighbours or all where there are fewer.
    """
    from umap import UMAP

    neighbours = min(NEIGHBOURS, len(codes) - 1)
    # The spectral start needs more points than it has eigenvectors to find.
    init = "spectral" if len(codes) > NEIGHBOURS else "random"
    model = UMAP(n_neighbors=neighbours, init=init, random_state=seed, n_jobs=1)
    points = model.fit_transform(_leading(codes, seed))
    return Plane(points, f"UMAP ({neighbours} neighbours)")


def code_plane(codes: np.ndarray) -> Plane:
    """Codes of two numbers, (N, 2), as they are."""
    return Plane(codes, "the codes themselves", ("code 1", "code 2"))


PROJECTIONS: dict[str, Callable[[np.ndarray, int], Plane]] = {
    "pca": pca,
    "tsne": tsne,
    "umap": umap,
}


def _components(codes: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes in their leading components, (N, <= count), and each one's share of the variance."""
    from sklearn.decomposition import PCA

    model = PCA(min(count, len(codes) - 1), random_state=seed)
    return model.fit_transform(codes), model.explained_variance_ratio_


def _leading(codes: np.ndarray, seed: int) -> np.ndarray:
    if codes.shape[1] <= MOST_COMPONENTS:
        return codes
    return _components(codes, MOST_COMPONENTS, seed)[0]


def _line(values: np.ndarray, seed: int, name: str) -> Plane:
    height = np.random.default_rng(seed).uniform(-1, 1, len(values)) * values.std()
    return Plane(np.stack([values, height], 1), "PCA", (name, "random, to tell images apart"))
