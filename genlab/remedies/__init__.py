"""Remedies: what keeps a GAN from collapsing, each with any loss, networks and game."""

from genlab.remedies.augmentation import AdaptiveAugmentation, DifferentiableAugmentation
from genlab.remedies.clipping import WeightClipping
from genlab.remedies.features import FeatureMatching
from genlab.remedies.history import HistoricalAveraging
from genlab.remedies.labels import FlippedLabels
from genlab.remedies.lecam import LeCam
from genlab.remedies.noise import InstanceNoise
from genlab.remedies.penalties import R1, R2, Dragan, GradientPenalty, Penalty
from genlab.remedies.remedy import CriticStep, GeneratorStep, Remedies, Remedy
from genlab.remedies.replay import Replay

__all__ = [
    "R1",
    "R2",
    "AdaptiveAugmentation",
    "CriticStep",
    "DifferentiableAugmentation",
    "Dragan",
    "FeatureMatching",
    "FlippedLabels",
    "GeneratorStep",
    "GradientPenalty",
    "HistoricalAveraging",
    "InstanceNoise",
    "LeCam",
    "Penalty",
    "Remedies",
    "Remedy",
    "Replay",
    "WeightClipping",
]
