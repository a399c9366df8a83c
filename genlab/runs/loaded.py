"""A run folder opened for use: its config, its learner with trained weights, its data."""

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
from genlab.data.stream import Batch, on_device
from genlab.devices import keep_big_blocks
from genlab.errors import CheckpointError, ConfigError, DataError, DataMissing
from genlab.io.reading import one_line
from genlab.learners import Learner
from genlab.learners.abilities import Encodes
from genlab.processes import launch
from genlab.runs import finding
from genlab.runs.folder import RunFolder
from genlab.runs.places import changed
from genlab.runs.weights import Weights, read_weights

log = logging.getLogger(__name__)

NO_CODES = "has no codes: choose the run of an autoencoder"


@dataclass
class Opened:
    """What a verb works with; the learner is in evaluation mode on `device`.

    Attributes:
        instead: settings of the verb that do without the run's data, for messages; "" for none.
    """

    folder: RunFolder
    config: RunConfig
    learner: Learner
    device: torch.device
    instead: str = ""

    @cached_property
    def data(self) -> ImageData:
        """The images that the run was trained on, without further ones of data.extra.

        Raises DataError where they are gone, or are not to be read.
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
        if told := changed(self.folder, data):
            log.warning("%s", told)
        return data

    @cached_property
    def description(self) -> Description:
        """Shapes and names of the data, without loading them where the run says those."""
        stored = self.folder.data().get("description")
        if stored is None:
            return self._described_by_data()
        described = Description.read(stored, self.folder.data_file)
        shape = self.config.data.shape
        if described.shape != shape:
            raise CheckpointError(
                f"{self.folder.data_file}: its images are {described.shape}, those of config.yaml "
                f"{shape}: remove the file, and the data are read"
            )
        return described

    @property
    def origin(self) -> Origin | None:
        """What names the networks that were trained once on the data; None where none is kept."""
        stored = self.folder.data().get("origin")
        return None if stored is None else Origin.read(stored, self.description.classes)

    @cached_property
    def alike(self) -> list[list[str]]:
        """Groups of labels that say one and the same thing, see `Description`."""
        found = self.description.alike
        if found is None:
            found = Description.of(self.data.image_set).alike
        return found or []

    def _described_by_data(self) -> Description:
        """The description of a run from before it was kept."""
        try:
            return Description.of(self.data.image_set)
        except DataError as error:
            if not isinstance(error.__cause__, DataMissing):
                raise
            purpose = "for the names of labels, as it has no data.json"
            raise self.missing(error.__cause__, purpose) from error

    @property
    def points(self) -> bool:
        """Whether the images are points of the plane, which config.yaml says."""
        return self.config.data.shape == POINTS

    def missing(self, error: DataMissing, purpose: str = "for this") -> DataError:
        """The error of data that are gone, with what they are needed for and what helps."""
        mend = f", or use {self.instead}" if self.instead else ""
        return DataError(
            f"{error.what}: run={self.folder.path} needs its images {purpose}; put them, or a link "
            f"to them, there{mend}"
        )

    def require(self, ability: type, what: str) -> Any:
        """The learner, if it has the ability; ConfigError that says `what` it cannot do."""
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
        """What the learner's `encode` says of every image, joined on the CPU."""
        learner = self.require(Encodes, NO_CODES)
        parts = [
            learner.encode(learner.prepare(images), labels)
            for images, labels in self.batches(batch, batch_size)
        ]
        return {name: torch.cat([part[name].cpu() for part in parts]) for name in parts[0]}

    @torch.no_grad()
    def in_batches(
        self, function: Callable[[Tensor], Tensor], inputs: Tensor, batch_size: int
    ) -> Tensor:
        """`function` over batches on the device, the results joined on the CPU."""
        parts = [function(part.to(self.device)).cpu() for part in inputs.split(batch_size)]
        return torch.cat(parts)


def open_run(run: str | None, accelerator: str) -> Opened:
    """Find the run, build its learner and load its weights."""
    keep_big_blocks()
    folder = finding.find(run)
    config = folder.config()
    device = launch.device(accelerator)
    shapes = _shapes(config)
    # Weights of other networks are refused before the networks take memory.
    weights = weights_for(shapes, folder) if shapes is not None else None
    learner = _learner(config, folder)
    load_weights(learner, folder, weights)
    return Opened(folder, config, learner.eval().requires_grad_(False).to(device), device)


def _shapes(config: RunConfig) -> Learner | None:
    """The learner without memory for its weights; None where it cannot be made like this."""
    try:
        check(config.plain)
        learner = without_memory(config.model)
    # Networks that need values to be made are compared when they are there; so are impossible ones.
    except Exception:
        return None
    return learner if isinstance(learner, Learner) else None


def _learner(config: RunConfig, folder: RunFolder) -> Learner:
    """What config.yaml describes; CheckpointError where it describes nothing that can be built."""
    try:
        check(config.plain)
        return build_learner(config)
    # Networks of sizes that cannot be are answered with nearly any exception.
    except Exception as error:
        raise CheckpointError(f"{folder.config_file}: {one_line(error)}") from error


def load_weights(learner: Learner, folder: RunFolder, weights: Weights | None = None) -> None:
    """Load the exported weights, of the folder where they have not been read."""
    weights = weights or weights_for(learner, folder)
    learner.exported.load_state_dict(weights.tensors)
    learner.images_seen = weights.images_seen


def weights_for(learner: Learner, folder: RunFolder) -> Weights:
    """The exported weights; CheckpointError where they are missing, damaged or another's."""
    if not folder.weights.exists() and folder.tag:
        raise CheckpointError(
            f"{folder.weights} is not there: only runs with evaluate.every_images=N keep the "
            "weights of their best moment"
        )
    if not folder.weights.exists():
        raise CheckpointError(
            f"{folder.path} has no weights yet: continue it with genlab train resume={folder.path}"
        )
    return read_weights(folder.weights, learner.exported.state_dict())
