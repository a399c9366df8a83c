"""The network whose features generated and real images are compared in.

InceptionV3 where its weights can be had; else a small classifier that is trained once on the data
set's own labels, as an ordinary run in the cache folder.
"""

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import nn

from genlab.config.build import build_data, build_learner
from genlab.config.parts import Tree
from genlab.config.run import Data, RunConfig
from genlab.data import GaussianGrid
from genlab.data.cache import cache_folder
from genlab.data.description import Origin
from genlab.errors import CheckpointError, Locked, Stopped
from genlab.learners import Learner
from genlab.metrics import (
    ClassifierFeatures,
    FeatureNetwork,
    FeaturesUnavailable,
    PointFeatures,
    state_sha256,
)
from genlab.metrics.inception import inception
from genlab.metrics.level import PATIENCE
from genlab.processes import launch
from genlab.runs.folder import RunFolder
from genlab.runs.loaded import load_weights
from genlab.words import installing, one_of

log = logging.getLogger(__name__)

CHOICES = ("auto", "inception", "classifier")
CLASSIFIER_IMAGES = 300_000
_EPOCHS = 10  # between two looks at whether the accuracy is level
_LEAST_IMAGES = 5_000  # between them
_COST = (
    "training a classifier of %s once, as feature network, on up to %s images (%s); it is kept in "
    "%s"
)
COMPONENTS = "edit direction=pca does without"
NOISE = 0.3  # largest deviation on pictures in [-1, 1], for the classifier that sees through it
_OWN = ("balanced", "leave_out", "crop", "extra")  # settings of a run that classifiers ignore


def feature_network(
    choice: str,
    config: RunConfig,
    device: torch.device,
    key: str = "features",
    origin: Origin | None = None,
    instead: str = "features=none does without",
) -> FeatureNetwork:
    """The network that `choice`, the value of `key`, names for the data of a run's config.

    Of data with a known origin a classifier that is trained already is found without them, else
    one is trained; `instead` says how that is avoided.

    Raises FeaturesUnavailable where it cannot be had, ConfigError for an unknown choice.
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
    return _classifier(config, device, origin=origin, instead=instead)


def noisy_classifier(
    config: RunConfig, device: torch.device, origin: Origin | None = None
) -> ClassifierFeatures:
    """The classifier of a run's data, taught on images with noise of deviations up to NOISE.

    Its gradients lead to what an attribute looks like, where those of one that has seen clean
    images alone lead to changes that nobody sees (Kaur et al. 2019,
    https://arxiv.org/abs/1910.08640).

    Raises FeaturesUnavailable for data without labels.
    """
    corruption = {
        "_target_": "genlab.objectives.corruptions.GaussianNoise",
        "deviation": [0.0, NOISE / 2],  # of the range from -1 to 1
    }
    return _classifier(config, device, {"corruption": corruption}, origin, COMPONENTS)


def _classifier(
    config: RunConfig,
    device: torch.device,
    settings: Mapping[str, Any] = MappingProxyType({}),
    origin: Origin | None = None,
    instead: str = "",
) -> ClassifierFeatures:
    """Trained once, with further settings of its learner; found by the origin where it is there.

    `instead` says how it is avoided.
    """
    plan = _Plan.of(config, origin, settings) if origin else None
    if plan is None or not plan.folder.summary.exists():
        plan = _Plan.of(config, Origin.of(build_data(config)), settings)
    learner = build_learner(plan.recipe)
    accuracy = _trained(learner, plan.recipe, plan.folder, list(plan.classes), instead)
    network: nn.Module = learner.exported.to(device)
    names = [f"{n.rsplit('/', 1)[1]} {v:.3f}" for n, v in accuracy.items() if "/accuracy/" in n]
    name = f"genlab classifier (validation accuracy: {', '.join(names)})"
    return ClassifierFeatures(network, name, state_sha256(network), plan.classes)


class _Plan(NamedTuple):
    """A classifier's run: its config, its folder in the cache, the classes that it tells."""

    recipe: RunConfig
    folder: RunFolder
    classes: dict[str, list[str]]

    @classmethod
    def of(cls, config: RunConfig, origin: Origin, settings: Mapping[str, Any]) -> "_Plan":
        """The plan for data of this origin; FeaturesUnavailable where they have no labels."""
        if not origin.classes:
            raise FeaturesUnavailable(
                "the data set has no labels to train a classifier on: sort the images into a "
                f"folder for each class, or {installing('inception')}"
            )
        recipe = _recipe(config.data, origin, settings)
        told = json.dumps([recipe.plain, origin.fingerprint], sort_keys=True, default=str)
        key = hashlib.sha256(told.encode()).hexdigest()[:16]
        folder = RunFolder(cache_folder() / "features" / f"classifier-{key}")
        return cls(recipe, folder, origin.classes)


def _trained(
    learner: Learner, recipe: RunConfig, folder: RunFolder, labels: list[str], instead: str
) -> dict[str, float]:
    """Give the learner the weights of the run, trained first where it is not there or damaged.

    Returns the metrics of its summary.
    """
    for last in (False, True):
        _train_once(recipe, folder, labels, instead)
        try:
            load_weights(learner, folder)
            metrics: dict[str, float] = folder.read_summary()["metrics"]
            return metrics
        except CheckpointError as error:
            if last:
                raise
            log.warning("%s; the feature network is trained again", error)
            _discard(folder)
    raise AssertionError


def _discard(folder: RunFolder) -> None:
    """Move a damaged network aside at once, for other processes may look for it, and remove it."""
    with tempfile.TemporaryDirectory(dir=folder.path.parent) as trash, suppress(FileNotFoundError):
        folder.path.rename(Path(trash) / folder.path.name)


def _is_short(recipe: RunConfig) -> bool:
    """Whether measurements are so frequent that the run may end when its accuracy is level."""
    return recipe.log.validate_every_images < recipe.total_images


def _train_once(recipe: RunConfig, folder: RunFolder, labels: list[str], instead: str) -> None:
    """Train the classifier unless it is there; wait where another process is at it."""
    if folder.summary.exists():
        return
    from genlab.training.fit import fit, prepare  # with Lightning, which nothing else here needs

    said = False
    while not folder.summary.exists():
        folder.path.mkdir(parents=True, exist_ok=True)
        try:
            folder.lock()
        except Locked:
            if not said:
                log.info("waiting for another process that trains the feature network")
            said = True
            time.sleep(1)
            continue
        try:
            if not folder.summary.exists():
                log.info(_COST, ", ".join(labels), f"{recipe.total_images:,}", instead, folder.path)
                folder.create(recipe, [])
                with launch.single_process():
                    fit(
                        recipe,
                        folder,
                        prepare(recipe, folder, world=1),
                        until_level=_is_short(recipe),
                    )
        except Stopped as stopped:
            number = stopped.exit_code - 128
            told = "stopped while the feature network was trained: run the same command again"
            raise Stopped(told, number) from stopped
        finally:
            folder.release()


def _recipe(data: Data, origin: Origin, settings: Mapping[str, Any]) -> RunConfig:
    """The config of the classifier's run: a fixed network and length, the run's data.

    Of few training images it is measured so often that it can end when its accuracy is level.
    """
    # One network for all runs on a data set, whatever they themselves were allowed to see: scores
    # compare only where it is the same.
    shown = {key: value for key, value in data.plain.items() if key not in _OWN}
    images = origin.images
    own = {"labels_per_class": None, "batch_size": min(100, images), "flip": False}
    every = max(_EPOCHS * images, _LEAST_IMAGES)
    if every * (PATIENCE + 1) >= CLASSIFIER_IMAGES:
        every = CLASSIFIER_IMAGES
    adam = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 1e-3, "fused": True}
    encoder = {
        "_target_": "genlab.networks.convolutional.Encoder",
        "resolution": data.resolution,
        "channels": data.channels,
        "outputs": 128,
        "width": 32,
    }
    classifier = {
        "_target_": "genlab.networks.Classifier",
        "encoder": encoder,
        "classes": origin.classes,
    }
    plain: Tree = {
        "model": {
            "_target_": "genlab.learners.Supervised",
            "classifier": classifier,
            "optimizer": adam,
            **settings,
        },
        "data": {**shown, **own},
        "trainer": {
            "accelerator": "auto",
            "devices": 1,
            "num_nodes": 1,
            "precision": "32-true",
            "channels_last": "auto",
            "compile": False,
        },
        "seed": 0,
        "total_images": CLASSIFIER_IMAGES,
        "max_minutes": None,
        "checkpoint": {"every_images": None, "every_minutes": 2, "keep": 1},
        "samples": {"every_images": CLASSIFIER_IMAGES, "count": 1},
        "log": {"every_images": 10_000, "validate_every_images": every},
    }
    return RunConfig.read(plain)
