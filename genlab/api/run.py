"""A trained run in Python: generate, encode, edit and score images."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.api.editor import Editor
from genlab.api.images import as_images
from genlab.commands import evaluate as scores
from genlab.data.stream import Batch
from genlab.editing.inversion import Inversion, features_to_compare, space_to_search
from genlab.editing.space import space_of
from genlab.errors import ConfigError
from genlab.latent import PATHS
from genlab.learners.abilities import Encodes, Reconstructs, Translates
from genlab.pixels import to_uint8
from genlab.runs.held_out import condition_of, latents_of
from genlab.runs.loaded import LoadedRun, load_run
from genlab.runs.sampling import drawn_images, generator_of, latents_for
from genlab.settings.evaluate import Evaluate
from genlab.settings.project import Project
from genlab.settings.sample import Sample
from genlab.words import one_of

Labels = Mapping[str, Any]
_FILES = ("run", "out", "format", "accelerator")  # what a command needs and a method does not


class Run:
    """A loaded run: its networks with trained weights.

    Only two things need the data set: `evaluate`, and the classifier of labels, which is trained
    once for directions that are named by labels. Methods may be called from several threads. They
    raise ConfigError for settings, DataError for images, and CheckpointError for files of the run
    that cannot be used.
    """

    def __init__(self, loaded: LoadedRun, accelerator: str = "auto") -> None:
        self._loaded = loaded
        self._accelerator = accelerator

    def __repr__(self) -> str:
        channels, height, width = self.shape
        kind = type(self._loaded.learner).__name__
        return f"Run({str(self.path)!r}: {kind}, {channels} x {height} x {width})"

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._loaded.folder.path

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config that the run was trained with."""
        return self._loaded.config.plain

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of its images."""
        return self._loaded.description.shape

    @property
    def classes(self) -> dict[str, list[str]]:
        """The names of the classes, by label, of the data that it was trained on."""
        return self._loaded.description.classes

    def sample(self, count: int = 64, **settings: Any) -> Tensor:
        """New images, uint8 (count, C, H, W).

        Args:
            settings: of `genlab sample`: `seed`, `seeds`, `labels`, `truncation`,
                `truncation_layers`, `batch_size`.
        """
        return drawn_images(self._loaded, Sample.read({"count": count, **settings}, _FILES))[1]

    def latents(self, count: int, seed: int = 0, labels: Labels | None = None) -> Tensor:
        """Latents (count, n) from the prior, those of `sample` with the same seed."""
        return latents_for(generator_of(self._loaded), count, seed, labels or {})

    def decode(self, codes: Tensor, batch_size: int = 250) -> Tensor:
        """Images uint8 (N, C, H, W) of latents (N, n), or of codes (N, layers, n) of `invert`."""
        space = space_of(self._loaded, styled=codes.ndim == 3)
        return space.images(codes if codes.ndim == 3 else codes[:, None], batch_size)

    def encode(self, images: Any, labels: Labels | None = None, batch_size: int = 250) -> Tensor:
        """Codes of images: latents (N, n) by the model's encoder, else those of `invert`.

        Args:
            images: see `genlab.api.images.as_images`.
            labels: class numbers (N,) by label, for a conditional model.
        """
        learner = self._loaded.learner
        if not isinstance(learner, Encodes):
            return self.invert(images, batch_size=batch_size)
        batch = self._batch(images, labels)
        values = self._loaded.codes(batch, batch_size)["values"]
        return latents_of(self._loaded, values, batch.labels)

    def reconstruct(
        self, images: Any, labels: Labels | None = None, batch_size: int = 250
    ) -> Tensor:
        """Reconstructions of images through their codes, uint8 (N, C, H, W).

        Args:
            images, labels: see `encode`.
        """
        learner = self._loaded.learner
        if not isinstance(learner, Reconstructs) or isinstance(learner, Translates):
            return self.decode(self.encode(images, labels, batch_size), batch_size)
        batch = self._batch(images, labels)
        parts = [
            to_uint8(learner.reconstruct(learner.prepare(part), part_labels)).cpu()
            for part, part_labels in self._loaded.batches(batch, batch_size)
        ]
        return torch.cat(parts)

    def interpolate(
        self, starts: Tensor, ends: Tensor, steps: int = 10, path: str = "linear"
    ) -> Tensor:
        """Images uint8 (N, steps, C, H, W) on paths between codes.

        Args:
            starts, ends: latents (N, n), or codes (N, layers, n) of `invert`.
            steps: images on each path, including both ends.
            path: linear or spherical, see `genlab interpolate`.
        """
        one_of("path", path, tuple(PATHS))
        if starts.shape != ends.shape or steps < 2:
            raise ConfigError(
                f"starts {tuple(starts.shape)} and ends {tuple(ends.shape)} must have the same "
                f"shape, and steps={steps} must be at least 2"
            )
        positions = torch.linspace(0, 1, steps)
        ways = PATHS[path](starts.flatten(1), ends.flatten(1), positions)
        codes = ways.reshape(-1, *starts.shape[1:])
        result: Tensor = self.decode(codes).unflatten(0, (len(starts), steps))
        return result

    def invert(self, images: Any, **settings: Any) -> Tensor:
        """Codes (N, layers, n) that generate given images, found by gradient descent.

        Args:
            images: see `encode`.
            settings: of `genlab project`: `space`, `steps`, `draws`, `seed`, `batch_size`.
        """
        wanted = Project.read(settings, (*_FILES, "image", "index", "split", "method"))
        space, layers = space_to_search(self._loaded, wanted.space)
        search = Inversion(space, layers, features_to_compare(self._loaded), wanted)
        return search.invert(as_images(images, self._loaded))[0]

    def evaluate(self, **settings: Any) -> dict[str, float]:
        """Scores on held-out images, by name.

        Args:
            settings: of `genlab evaluate`: `split`, `count`, `features` ...; `out` is a folder for
                evaluation.json and figures, which are not kept without it.
        """
        wanted = Evaluate.read(settings, ("run", "accelerator"))
        folder = self._loaded.folder
        with tempfile.TemporaryDirectory() as place:
            file = Path(wanted.out or place) / "evaluation.json"
            asked = replace(
                wanted, run=folder.run_argument, out=str(file), accelerator=self._accelerator
            )
            scores.run(asked)
            found: dict[str, float] = json.loads(file.read_text())["metrics"]
        return found

    def editor(self, **settings: int) -> Editor:
        """An editor of images along directions of the latent space, see `Editor`."""
        return Editor(self._loaded, **settings)

    def _batch(self, images: Any, labels: Labels | None) -> Batch:
        found = as_images(images, self._loaded)
        condition = condition_of(self._loaded)
        if condition and not labels:
            names = ", ".join(condition.classes)
            raise ConfigError(f"this model needs labels: give labels= a class of each: {names}")
        tensors = {name: torch.as_tensor(values) for name, values in (labels or {}).items()}
        return Batch(found, tensors)


def load(run: str | Path = "last", accelerator: str = "auto") -> Run:
    """Load a run folder, or its best weights; "last" is the newest run.

    Args:
        accelerator: auto, cpu, gpu or mps.
    """
    return Run(load_run(str(run), accelerator), accelerator)
