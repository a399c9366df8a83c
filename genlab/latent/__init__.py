"""The space of latents: paths through it, planes that show it, and what each number in it does."""

from genlab.latent.directions import LatentDirection, ganspace, in_deviations, sefa
from genlab.latent.interpolation import PATHS, Path, linear, spherical
from genlab.latent.projection import FEWEST, PROJECTIONS, Plane, code_plane, pca, tsne, umap
from genlab.latent.traversal import Strengths, lattice, most_typical, order, strengths, traverse

__all__ = [
    "FEWEST",
    "PATHS",
    "PROJECTIONS",
    "LatentDirection",
    "Path",
    "Plane",
    "Strengths",
    "code_plane",
    "ganspace",
    "in_deviations",
    "lattice",
    "linear",
    "most_typical",
    "order",
    "pca",
    "sefa",
    "spherical",
    "strengths",
    "traverse",
    "tsne",
    "umap",
]
