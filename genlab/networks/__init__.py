"""Networks: tensors in, tensors out. Images are (B, C, H, W) in [-1, 1], codes are (B, codes)."""

from genlab.networks import convolutional, dense
from genlab.networks.autoencoder import Autoencoder
from genlab.networks.average import Average
from genlab.networks.bottlenecks import GaussianBottleneck, PlainBottleneck
from genlab.networks.classifier import Classifier, CodeEncoder
from genlab.networks.condition import Condition
from genlab.networks.output import SharedVariance
from genlab.networks.quantised import VectorQuantiser

__all__ = [
    "Autoencoder",
    "Average",
    "Classifier",
    "CodeEncoder",
    "Condition",
    "GaussianBottleneck",
    "PlainBottleneck",
    "SharedVariance",
    "VectorQuantiser",
    "convolutional",
    "dense",
]
