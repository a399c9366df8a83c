"""How good the images are: distances, manifold scores and errors over features and pixels.

Pure tensor code. Features are (N, D), one row per image, from one feature network.
"""

from genlab.metrics.anomalies import Detection, detection, share_below, threshold
from genlab.metrics.classes import Modes, combined, inception_score, modes
from genlab.metrics.codes import (
    active_units,
    activity,
    linear_probe,
    nearest_neighbours,
    perplexity,
)
from genlab.metrics.directions import less_is_better
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
from genlab.metrics.pixels import Neighbours, likeness, nearest
from genlab.metrics.points import PointFeatures
from genlab.metrics.reconstruction import psnr, squared_error

__all__ = [
    "ClassifierFeatures",
    "Detection",
    "FeatureNetwork",
    "FeaturesUnavailable",
    "KernelDistance",
    "ManifoldScores",
    "Modes",
    "Moments",
    "Neighbours",
    "PointFeatures",
    "active_units",
    "activity",
    "combined",
    "detection",
    "extract",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "less_is_better",
    "likeness",
    "linear_probe",
    "manifold_scores",
    "modes",
    "moments",
    "nearest",
    "nearest_neighbours",
    "perplexity",
    "psnr",
    "share_below",
    "squared_error",
    "state_sha256",
    "threshold",
]
