"""A run loaded from its folder: its config, its learner with trained weights, its data."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.config.build import build_data, build_learner, without_memory
from genlab.config.paths import relative
from genlab.config.run import RunConfig
from genlab.config.schema import check
from genlab.data.description import POINTS, Description, Origin
from genlab.data.module import ImageData
from genlab.data.progress import late_progress, tracked
from genlab.data.stream import Batch, on_device
from genlab.devices import keep_big_blocks
from genlab.errors import CheckpointError, ConfigError, DataError, DataMissing
from genlab.io.reading import one_line
from genlab.learners import Learner
from genlab.learners.abilities import Encodes
from genlab.processes import launch
from genlab.runs import finding
from genlab.runs.data_check import changed
from genlab.runs.run_folder import RunFolder
from genlab.runs.weights import Weights, read_weights

log = logging.getLogger(__name__)

NO_CODES = "has no codes: choose the run of an autoencoder"


@dataclass
class LoadedRun:
    """What a command on a run works with; the learner is in evaluation mode on `device`.

    Attributes:
        instead: settings of the command that do not need the run's data, for messages; "" for none.
    """

    folder: RunFolder
    config: RunConfig
    learner: Learner
    device: torch.device
    instead: str = ""

    @cached_property
    def data(self) -> ImageData:
        """The images that the run was trained on, without those of data.extra.

        Raises DataError if they are missing or cannot be read.
        """
        try:
            data = build_data(self.config.replaced(data={"extra": None}))
            _ = data.image_set
        except ConfigError as error:
            raise CheckpointError(f"{self.folder.config_file}: {one_line(error)}") from error
        except DataMissing as error:
            raise self.missing(error) from error
        for path in relative(self.config):
            log.warning("%s is relative in config.yaml: taken from %s", path, Path.cwd())
        if change := changed(self.folder, data):
            log.warning("%s", change)
        return data

    @cached_property
    def description(self) -> Description:
        """Shapes and names of the data, read from the run folder if they are kept there."""
        stored = self.folder.data().get("description")
        if stored is None:
            return self._described_by_data()
        described = Description.read(stored, self.folder.data_file)
        shape = self.config.data.shape
        if described.shape != shape:
            raise CheckpointError(
                f"{self.folder.data_file}: its images are {described.shape}, those of config.yaml "
                f"{shape}: remove the file, so that the data are read instead"
            )
        return described

    @property
    def origin(self) -> Origin | None:
        """What identifies the classifiers that were trained on the data; None if it is not kept."""
        stored = self.folder.data().get("origin")
        return None if stored is None else Origin.read(stored, self.description.classes)

    @cached_property
    def alike(self) -> list[list[str]]:
        """Groups of labels that say the same, see `Description`."""
        found = self.description.alike
        if found is None:
            found = Description.of(self.data.image_set).alike
        return found or []

    def _described_by_data(self) -> Description:
        """The description for a run of a version that did not keep it."""
        try:
            return Description.of(self.data.image_set)
        except DataError as error:
            if not isinstance(error.__cause__, DataMissing):
                raise
            purpose = "for the names of labels, because it has no data.json"
            raise self.missing(error.__cause__, purpose) from error

    @property
    def points(self) -> bool:
        """Whether the images are points of the plane, according to config.yaml."""
        return self.config.data.shape == POINTS

    def missing(self, error: DataMissing, purpose: str = "for this") -> DataError:
        """The error for missing data: what they are needed for, and how to fix it."""
        fix = f", or use {self.instead}" if self.instead else ""
        return DataError(
            f"{error.what}: run={self.folder.path} needs its images {purpose}; put them, or a link "
            f"to them, there{fix}"
        )

    def require(self, ability: type, what: str) -> Any:
        """The learner, if it has the ability; else a ConfigError with `what` it lacks."""
        if not isinstance(self.learner, ability):
            raise ConfigError(
                f"run={self.folder.path}: this {type(self.learner).__name__.lower()} model {what}"
            )
        return self.learner

    def batches(self, batch: Batch, batch_size: int) -> Iterator[Batch]:
        """The batch in parts on the device."""
        for start in range(0, len(batch.images), batch_size):
            chosen = slice(start, start + batch_size)
            labels = {name: values[chosen] for name, values in batch.labels.items()}
            yield on_device(Batch(batch.images[chosen], labels), self.device)

    def codes(self, batch: Batch, batch_size: int) -> dict[str, Tensor]:
        """The output of the learner's `encode` for every image, concatenated on the CPU."""
        learner = self.require(Encodes, NO_CODES)
        parts = []
        with late_progress("encoding", len(batch.images)) as advance:
            for images, labels in self.batches(batch, batch_size):
                parts.append(learner.encode(learner.prepare(images), labels))
                advance(len(images))
        return {name: torch.cat([part[name].cpu() for part in parts]) for name in parts[0]}

    @torch.no_grad()
    def in_batches(
        self, function: Callable[[Tensor], Tensor], inputs: Tensor, batch_size: int
    ) -> Tensor:
        """Apply `function` to batches on the device; results are concatenated on the CPU."""
        parts = []
        for part in tracked("generating", inputs.split(batch_size)):
            parts.append(function(part.to(self.device)).cpu())
        return torch.cat(parts)


def load_run(run: str | None, accelerator: str) -> LoadedRun:
    """Find the run, build its learner and load its weights."""
    keep_big_blocks()
    folder = finding.find_run(run)
    config = folder.config()
    device = launch.device(accelerator)
    shapes = _shapes(config)
    # Weights of other networks are refused before memory for the networks is allocated.
    weights = weights_for(shapes, folder) if shapes is not None else None
    learner = _learner(config, folder)
    load_weights(learner, folder, weights)
    return LoadedRun(folder, config, learner.eval().requires_grad_(False).to(device), device)


def _shapes(config: RunConfig) -> Learner | None:
    """The learner without memory for its weights; None if it cannot be built this way."""
    try:
        check(config.plain)
        learner = without_memory(config.model)
    # Networks that need values while they are built are compared later, as are impossible ones.
    except Exception:
        return None
    return learner if isinstance(learner, Learner) else None


def _learner(config: RunConfig, folder: RunFolder) -> Learner:
    """Build the learner of config.yaml; CheckpointError if it cannot be built."""
    try:
        check(config.plain)
        return build_learner(config)
    # Impossible sizes of networks raise nearly any exception.
    except Exception as error:
        raise CheckpointError(f"{folder.config_file}: {one_line(error)}") from error


def load_weights(learner: Learner, folder: RunFolder, weights: Weights | None = None) -> None:
    """Load the exported weights; those of the folder if `weights` is None."""
    weights = weights or weights_for(learner, folder)
    learner.exported.load_state_dict(weights.tensors)
    learner.images_seen = weights.images_seen


def weights_for(learner: Learner, folder: RunFolder) -> Weights:
    """The exported weights; CheckpointError if they are missing, damaged or of another network."""
    if not folder.weights.exists() and folder.tag:
        raise CheckpointError(
            f"{folder.weights} does not exist: only runs with evaluate.every_images=N keep their "
            "best weights"
        )
    if not folder.weights.exists():
        raise CheckpointError(
            f"{folder.path} has no weights yet: continue it with genlab train resume={folder.path}"
        )
    return read_weights(folder.weights, learner.exported.state_dict())
