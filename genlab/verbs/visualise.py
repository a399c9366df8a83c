"""`genlab visualise`: the space of codes in planes, along each code, and in TensorBoard."""

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.artefacts.pictures import grid, save_png, to_uint8, with_caption, with_row_captions
from genlab.artefacts.planes import scatter, thumbnails
from genlab.artefacts.projector import write_projector
from genlab.data.stream import Batch, take
from genlab.errors import ConfigError, DataError
from genlab.latent import (
    FEWEST,
    PROJECTIONS,
    Plane,
    code_plane,
    lattice,
    order,
    strengths,
    traverse,
)
from genlab.learners.abilities import Generates
from genlab.opened import Opened, open_run
from genlab.verbs.held_out import choose, latents_of
from genlab.verbs.output import positive
from genlab.words import one_of

log = logging.getLogger(__name__)

_SIDE = 20
_MOST_ROWS = 20
_DEVIATIONS = 3.0
_STEPS = 11


@dataclass(frozen=True)
class Space:
    """Images of one split with their codes, and where pictures of them go."""

    opened: Opened
    batch: Batch
    code: dict[str, Tensor]
    indices: np.ndarray
    split: str
    batch_size: int
    folder: Path

    @property
    def values(self) -> Tensor:
        """The codes, (N, n)."""
        return self.code["values"].float()

    def decode(self, values: Tensor) -> Tensor:
        """Codes (B, n) to pictures uint8; a conditional model is told the first image's labels."""
        learner: Any = self.opened.learner
        first = torch.zeros(len(values), dtype=torch.long)
        told = Batch(self.batch.images[:1], {n: v[first] for n, v in self.batch.labels.items()})
        return self.opened.in_batches(
            lambda latents: to_uint8(learner.generate(latents)),
            latents_of(self.opened, values, told),
            self.batch_size,
        )

    def save(self, picture: Image.Image, name: str) -> None:
        """Write one picture, say where."""
        path = self.folder / f"{re.sub(r'[^\w-]+', '_', name)}_{self.split}.png"
        save_png(picture, path)
        log.info("wrote %s", path)


def run(config: dict[str, Any]) -> None:
    """Encode images of the split, draw everything."""
    for method in config["methods"] or ():
        one_of("methods", method, tuple(PROJECTIONS))
    one_of("tensorboard", config["tensorboard"], (True, False))
    space = _encode(config)
    labels = _labels(config["labels"], list(space.batch.labels))
    with _quiet():
        for name, plane in _planes(space.values.numpy(), config):
            _draw(space, name, plane, labels)
    if isinstance(space.opened.learner, Generates):
        _draw_traversals(space)
        if space.values.shape[1] == 2:
            _draw_lattice(space)
    if config["tensorboard"]:
        _write_projector(space)
