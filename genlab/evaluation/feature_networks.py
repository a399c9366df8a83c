"""The network in whose features generated and real images are compared.

InceptionV3 if its weights are available, else a small classifier that is trained once on the labels
of the data set, see `trained_classifier`.
"""

import logging

import torch

from genlab.config.build import build_data
from genlab.config.run import RunConfig
from genlab.data import GaussianGrid
from genlab.data.description import Origin
from genlab.evaluation.classifier_run import trained_classifier
from genlab.metrics import (
    ClassifierFeatures,
    FeatureNetwork,
    FeaturesUnavailable,
    PointFeatures,
)
from genlab.metrics.inception import inception
from genlab.words import one_of

log = logging.getLogger(__name__)

CHOICES = ("auto", "inception", "classifier")
COMPONENTS = "edit direction=pca avoids this"
NOISE = 0.3  # largest standard deviation, on images in [-1, 1], for the noisy classifier


def feature_network(
    choice: str,
    config: RunConfig,
    device: torch.device,
    key: str = "features",
    origin: Origin | None = None,
    instead: str = "features=none avoids this",
) -> FeatureNetwork:
    """The network that `choice`, the value of `key`, names for the data of a run's config.

    A trained classifier of data with a known `origin` is found without the data; otherwise one is
    trained, and `instead` says in messages how users avoid that.

    Raises FeaturesUnavailable if it is not available, ConfigError for an unknown choice.
    """
    one_of(key, choice, CHOICES)
    source = build_data(config).source
    if isinstance(source, GaussianGrid):
        if choice != "auto":
            raise FeaturesUnavailable(f"{key}={choice}: points are their own features; use auto")
        return PointFeatures(torch.from_numpy(source.centres), source.deviation)
    if choice in ("auto", "inception"):
        try:
            return inception(device)
        except FeaturesUnavailable as error:
            if choice == "inception":
                raise
            log.info("%s; using a classifier of this data set instead", error)
    return trained_classifier(config, device, origin=origin, instead=instead)


def noisy_classifier(
    config: RunConfig, device: torch.device, origin: Origin | None = None
) -> ClassifierFeatures:
    """The classifier of a run's data, trained on images with noise of deviations up to NOISE.

    Its gradients lead to visible features of an attribute, those of a classifier of clean images to
    changes that people do not notice (Kaur et al. 2019, https://arxiv.org/abs/1910.08640).

    Raises FeaturesUnavailable for data without labels.
    """
    corruption = {
        "_target_": "genlab.objectives.corruptions.GaussianNoise",
        "deviation": [0.0, NOISE / 2],  # of the range from -1 to 1
    }
    return trained_classifier(config, device, {"corruption": corruption}, origin, COMPONENTS)
