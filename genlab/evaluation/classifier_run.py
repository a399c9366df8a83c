"""The classifier that serves as feature network: an ordinary run in the cache, trained once."""

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
from genlab.data.cache import cache_folder
from genlab.data.description import Origin
from genlab.errors import CheckpointError, Locked, Stopped
from genlab.learners import Learner
from genlab.metrics import ClassifierFeatures, FeaturesUnavailable, state_sha256
from genlab.metrics.level import PATIENCE
from genlab.processes import launch
from genlab.runs.loaded import load_weights
from genlab.runs.run_folder import RunFolder
from genlab.words import installing

log = logging.getLogger(__name__)

CLASSIFIER_IMAGES = 300_000
_EPOCHS = 10  # between two measurements of the accuracy
_LEAST_IMAGES = 5_000  # between them
_COST = (
    "training a classifier of %s once, as feature network, on up to %s images (%s); it is kept in "
    "%s"
)
_OWN = ("balanced", "leave_out", "crop", "extra")  # settings of a run that classifiers ignore


def trained_classifier(
    config: RunConfig,
    device: torch.device,
    settings: Mapping[str, Any] = MappingProxyType({}),
    origin: Origin | None = None,
    instead: str = "",
) -> ClassifierFeatures:
    """The classifier of a run's data, loaded from the cache or trained now.

    Args:
        settings: further settings of its learner.
        origin: identifies a trained classifier if the data are missing.
        instead: how users avoid the training, for messages.

    Raises:
        FeaturesUnavailable: the data have no labels.
    """
    run = ClassifierRun.of(config, origin, settings) if origin else None
    if run is None or not run.folder.summary.exists():
        run = ClassifierRun.of(config, Origin.of(build_data(config)), settings)
    learner = build_learner(run.run_config)
    accuracy = _train_and_load(learner, run.run_config, run.folder, list(run.classes), instead)
    network: nn.Module = learner.exported.to(device)
    names = [f"{n.rsplit('/', 1)[1]} {v:.3f}" for n, v in accuracy.items() if "/accuracy/" in n]
    name = f"genlab classifier (validation accuracy: {', '.join(names)})"
    return ClassifierFeatures(network, name, state_sha256(network), run.classes)


class ClassifierRun(NamedTuple):
    """A classifier's run: its config, its folder in the cache, the classes by label."""

    run_config: RunConfig
    folder: RunFolder
    classes: dict[str, list[str]]

    @classmethod
    def of(cls, config: RunConfig, origin: Origin, settings: Mapping[str, Any]) -> "ClassifierRun":
        """The run for data of this origin; FeaturesUnavailable if they have no labels."""
        if not origin.classes:
            raise FeaturesUnavailable(
                "the data set has no labels to train a classifier on: sort the images into a "
                f"folder for each class, or {installing('inception')}"
            )
        run_config = _run_config(config.data, origin, settings)
        content = json.dumps([run_config.plain, origin.fingerprint], sort_keys=True, default=str)
        key = hashlib.sha256(content.encode()).hexdigest()[:16]
        folder = RunFolder(cache_folder() / "features" / f"classifier-{key}")
        return cls(run_config, folder, origin.classes)


def _train_and_load(
    learner: Learner, run_config: RunConfig, folder: RunFolder, labels: list[str], instead: str
) -> dict[str, float]:
    """Load the weights of the run into the learner, after training if it is missing or damaged.

    Returns the metrics of its summary.
    """
    for last in (False, True):
        _train_once(run_config, folder, labels, instead)
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
    """Rename and remove a damaged run; the renaming is atomic for processes that look for it."""
    with tempfile.TemporaryDirectory(dir=folder.path.parent) as trash, suppress(FileNotFoundError):
        folder.path.rename(Path(trash) / folder.path.name)


def _is_short(run_config: RunConfig) -> bool:
    """Whether it is measured often enough to end when its accuracy is level."""
    return run_config.log.validate_every_images < run_config.total_images


def _train_once(run_config: RunConfig, folder: RunFolder, labels: list[str], instead: str) -> None:
    """Train the classifier unless it exists; wait if another process is training it."""
    if folder.summary.exists():
        return
    from genlab.training.fit import fit  # imports Lightning, which nothing else here does
    from genlab.training.preparation import prepare_run

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
                log.info(
                    _COST, ", ".join(labels), f"{run_config.total_images:,}", instead, folder.path
                )
                folder.create(run_config, [])
                with launch.single_process():
                    fit(
                        run_config,
                        folder,
                        prepare_run(run_config, folder, world=1),
                        until_level=_is_short(run_config),
                    )
        except Stopped as stopped:
            number = stopped.exit_code - 128
            message = "stopped while the feature network was trained: run the same command again"
            raise Stopped(message, number) from stopped
        finally:
            folder.release()


def _run_config(data: Data, origin: Origin, settings: Mapping[str, Any]) -> RunConfig:
    """The config of the classifier's run: a fixed network and length, the run's data.

    With few training images it is measured so often that it can end when its accuracy is level.
    """
    # All runs on a data set share one network, whichever part of the data they train on, because
    # scores are comparable only in the features of the same network.
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
