"""`genlab visualise`: codes in two dimensions, along each code, and in TensorBoard."""

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.commands.loading import load_run_for
from genlab.commands.outputs import keep_others
from genlab.data.stream import Batch, take
from genlab.drawing.image_grid import grid, save_png, with_caption, with_row_captions
from genlab.drawing.planes import scatter, thumbnails
from genlab.drawing.projector import write_projector
from genlab.errors import ConfigError, DataError
from genlab.io.files import may_write
from genlab.latent import (
    FEWEST,
    PROJECTIONS,
    Plane,
    code_plane,
    lattice,
    most_typical,
    order,
    strengths,
    traverse,
)
from genlab.learners.abilities import Generates
from genlab.pixels import to_uint8
from genlab.runs.held_out import choose, latents_of
from genlab.runs.loaded import LoadedRun
from genlab.settings.visualise import Visualise
from genlab.words import counted, one_of

log = logging.getLogger(__name__)

_SIDE = 20
_MOST_ROWS = 20
_DEVIATIONS = 3.0
_STEPS = 11


@dataclass(frozen=True)
class EncodedSplit:
    """Images of one split with their codes, and the folder for figures."""

    loaded: LoadedRun
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

    def decode(self, values: Tensor, place: int = 0) -> Tensor:
        """Images uint8 of codes (B, n), for a conditional model with the labels of one image."""
        learner: Any = self.loaded.learner
        labels = {
            name: numbers[place : place + 1].expand(len(values))
            for name, numbers in self.batch.labels.items()
        }
        return self.loaded.in_batches(
            lambda latents: to_uint8(learner.generate(latents)),
            latents_of(self.loaded, values, labels),
            self.batch_size,
        )

    def save(self, figure: Image.Image, name: str) -> None:
        """Write one figure and log its path."""
        path = self.folder / (re.sub(r"[^\w-]+", "_", f"{name}_{self.split}") + ".png")
        save_png(figure, path)
        log.info("wrote %s", path)


def run(settings: Visualise) -> None:
    """Encode images of the split and draw all figures."""
    methods = _words(settings.methods, "methods", list(PROJECTIONS))
    encoded = _encode(settings)
    labels = _words(settings.labels, "labels", list(encoded.batch.labels))
    with _quiet():
        for name, plane in _planes(encoded.values.numpy(), methods, settings.seed):
            _draw(encoded, name, plane, labels)
    if isinstance(encoded.loaded.learner, Generates):
        if "indices" not in encoded.code:  # entries of a codebook have no numbers to go along
            _draw_traversals(encoded)
        if encoded.values.shape[1] == 2:
            _draw_lattice(encoded)
    if settings.tensorboard:
        _write_projector(encoded)


def _encode(settings: Visualise) -> EncodedSplit:
    """The split's images and codes; DataError for codes that cannot be drawn."""
    count = settings.count
    batch_size = settings.batch_size
    loaded = load_run_for(settings)
    folder = Path(settings.out or loaded.folder.path / "codes").expanduser()
    keep_others(sorted(folder.glob(f"*_{settings.split}.png")), settings)
    indices = choose(loaded, settings.split, count, settings.seed)
    where = f"run={loaded.folder.path}, split={settings.split}"
    if len(indices) < FEWEST:
        raise DataError(f"{where}: {len(indices)} images are too few to draw: choose another split")
    # In random order, so that thumbnails show all classes of a sorted data set.
    indices = np.random.default_rng(settings.seed).permutation(indices)
    batch = take(loaded.data.image_set, indices)
    code = loaded.codes(batch, batch_size)
    values = code["values"]
    if not values.isfinite().all():
        raise DataError(f"{where}: some codes are not finite, train the model again")
    if (values == values[0]).all():
        raise DataError(f"{where}: all images have the same code, there is nothing to draw")
    return EncodedSplit(loaded, batch, code, indices, settings.split, batch_size, folder)


def _words(given: Any, key: str, known: list[str]) -> list[str]:
    """The words of a list in a setting, all known ones for null; ConfigError for unknown ones."""
    if given is None:
        return known
    if not isinstance(given, list):
        raise ConfigError(f"{key}={given} must be a list: {key}=[{given}]")
    for word in given:
        one_of(key, word, known)
    return given


def _planes(values: np.ndarray, methods: Sequence[str], seed: int) -> Iterator[tuple[str, Plane]]:
    if values.shape[1] == 2:
        yield "codes", code_plane(values)
    for method in methods:
        log.info("projecting %s by %s", counted(len(values), "code"), method)
        yield method, PROJECTIONS[method](values, seed)


def _draw(encoded: EncodedSplit, name: str, plane: Plane, labels: Sequence[str]) -> None:
    """Draw a plane as points, once for each label, and as thumbnails."""
    title = f"{len(plane.points):,} {encoded.split} images: {plane.title}"
    classes = encoded.loaded.data.image_set.classes
    for label in labels:
        numbers = encoded.batch.labels[label].numpy()
        about = f"{title}, coloured by {label}"
        encoded.save(
            scatter(plane.points, about, plane.axes, numbers, classes[label]), f"{name}_{label}"
        )
    if not labels:
        encoded.save(scatter(plane.points, title, plane.axes), f"{name}_points")
    encoded.save(
        thumbnails(plane.points, encoded.batch.images, f"{encoded.split} images, {plane.title}"),
        f"{name}_images",
    )


def _draw_traversals(encoded: EncodedSplit) -> None:
    """Draw a row for each code, the most used first: a real image, and variations of its code."""
    used = strengths(encoded.code)
    rows = order(used.values, _MOST_ROWS)
    deviations = torch.linspace(-_DEVIATIONS, _DEVIATIONS, _STEPS)
    place = most_typical(encoded.values)
    codes = traverse(encoded.values, encoded.values[place], rows, deviations)
    made = encoded.decode(codes.flatten(0, 1), place).unflatten(0, (len(rows), _STEPS))
    real = encoded.batch.images[place].expand(len(rows), 1, -1, -1, -1)
    sheet = grid(torch.cat([real, made], 1).flatten(0, 1), _STEPS + 1, apart=(1,))
    sheet = with_row_captions(
        sheet,
        [f"code {i}: {used.name} {used.values[i]:#.3g}{used.unit}" for i in rows.tolist()],
    )
    share = f"the {len(rows)} most used of {len(used.values)} codes, each"
    caption = (
        f"{share if len(rows) < len(used.values) else 'each code'} from "
        f"-{_DEVIATIONS:g} to +{_DEVIATIONS:g} standard deviations around that of the "
        f"{encoded.split} image on the left, number {encoded.indices[place]}"
    )
    encoded.save(with_caption(sheet, caption), "traversals")


def _draw_lattice(encoded: EncodedSplit) -> None:
    """Draw the plane of both codes, decoded."""
    caption = "the plane of codes, decoded: code 0 to the right, code 1 upwards"
    images = encoded.decode(lattice(encoded.code, _SIDE))
    encoded.save(grid(images, _SIDE, caption, margin=1), "decoded")


def _write_projector(encoded: EncodedSplit) -> None:
    """Write codes, labels and images for TensorBoard's projector, in a folder of its own."""
    image_set = encoded.loaded.data.image_set
    columns: dict[str, Sequence[object]] = {"index": encoded.indices.tolist()}
    for name, numbers in encoded.batch.labels.items():
        columns[name] = [image_set.classes[name][i] for i in numbers.tolist()]
    run = encoded.loaded.folder.path
    folder = (run if may_write(run) else encoded.folder) / "tensorboard" / f"codes_{encoded.split}"
    write_projector(folder, encoded.values, columns, encoded.batch.images)
    log.info("wrote %s", folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide messages and warnings of the drawing libraries."""
    loggers = [logging.getLogger(name) for name in ("matplotlib", "numba", "umap")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
