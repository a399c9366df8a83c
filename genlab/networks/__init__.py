"""Networks: tensors in, tensors out. Images are (B, C, H, W) in [-1, 1], codes are (B, codes)."""

from genlab.networks import convolutional, dense
from genlab.networks.autoencoder import Autoencoder, GaussianBottleneck
from genlab.networks.average import Average
from genlab.networks.classifier import Classifier

__all__ = ["Autoencoder", "Average", "Classifier", "GaussianBottleneck", "convolutional", "dense"]
