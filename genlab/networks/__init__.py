"""Networks: tensors in, tensors out. Images are (B, C, H, W) in [-1, 1], codes are (B, codes)."""

from genlab.networks import (
    convolutional,
    dense,
    progan,
    residual,
    stylegan,
    stylegan2,
    translators,
)
from genlab.networks.autoencoder import Autoencoder
from genlab.networks.average import Average
from genlab.networks.bottlenecks import GaussianBottleneck, PlainBottleneck
from genlab.networks.classifier import Classifier, CodeEncoder
from genlab.networks.condition import Chosen, Condition
from genlab.networks.critic import Critic, MinibatchDeviation, MinibatchDiscrimination
from genlab.networks.cycle import Cycle
from genlab.networks.equalised import Head
from genlab.networks.generator import Generator
from genlab.networks.output import SharedVariance
from genlab.networks.quantised import VectorQuantiser
from genlab.networks.styles import StyleDecoder

__all__ = [
    "Autoencoder",
    "Average",
    "Chosen",
    "Classifier",
    "CodeEncoder",
    "Condition",
    "Critic",
    "Cycle",
    "GaussianBottleneck",
    "Generator",
    "Head",
    "MinibatchDeviation",
    "MinibatchDiscrimination",
    "PlainBottleneck",
    "SharedVariance",
    "StyleDecoder",
    "VectorQuantiser",
    "convolutional",
    "dense",
    "progan",
    "residual",
    "stylegan",
    "stylegan2",
    "translators",
]
