"""How good the images are: distances, manifold scores and errors over features and pixels.

Pure tensor code. Features are (N, D), one row per image, from one feature network.
"""

from genlab.metrics.codes import (
    active_units,
    activity,
    linear_probe,
    nearest_neighbours,
    perplexity,
)
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
    "active_units",
    "activity",
    "extract",
    "frechet_distance",
    "kernel_distance",
    "linear_probe",
    "manifold_scores",
    "moments",
    "nearest_neighbours",
    "perplexity",
    "psnr",
    "squared_error",
    "state_sha256",
]
