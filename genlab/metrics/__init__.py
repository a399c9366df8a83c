"""How good the images are: distances, manifold scores and errors over features and pixels.

Pure tensor code. Features are (N, D), one row per image, from one feature network.
"""

from genlab.metrics.distances import (
    KernelDistance,
    Moments,
    frechet_distance,
    kernel_distance,
    moments,
)
from genlab.metrics.features import (
    ClassifierFeatures,
    FeatureNetwork,
    FeaturesUnavailable,
    extract,
    state_sha256,
)
from genlab.metrics.manifold import ManifoldScores, manifold_scores
from genlab.metrics.reconstruction import psnr, squared_error

__all__ = [
    "ClassifierFeatures",
    "FeatureNetwork",
    "FeaturesUnavailable",
    "KernelDistance",
    "ManifoldScores",
    "Moments",
    "extract",
    "frechet_distance",
    "kernel_distance",
    "manifold_scores",
    "moments",
    "psnr",
    "squared_error",
    "state_sha256",
]
