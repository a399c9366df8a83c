"""`genlab sample`: new images by a trained model."""

import re

from PIL import Image
from torch import Tensor

from genlab.commands.loading import load_run_for
from genlab.commands.outputs import named, place_of, write_images
from genlab.data.image_set import drawn
from genlab.data.stream import take
from genlab.drawing.image_grid import grid, with_both_captions, with_caption
from genlab.drawing.labelled import by_class, shown_label
from genlab.drawing.sheets import POINTS, are_points, sheet
from genlab.errors import ConfigError
from genlab.runs.loaded import LoadedRun
from genlab.runs.sampling import (
    drawn_images,
    generator_of,
    listed,
)
from genlab.settings.kinds import seeds_of
from genlab.settings.sample import Sample

MOST_IN_GRID = 10_000
USUAL_LAYERS = 8  # whose styles are truncated


def run(settings: Sample) -> None:
    """Draw latents from the seeds, truncate, generate, write."""
    seeds, truncations = seeds_of(settings.seeds), listed(settings.truncation)
    if settings.format == "grid":
        count, key = (len(seeds), "seeds") if seeds else (settings.count, "count")
        _check_grid(count, max(len(truncations), 1), key)
    loaded = load_run_for(settings)
    path = place_of(settings, loaded.folder, _name(settings) + loaded.folder.tag)
    latents, images = drawn_images(loaded, settings)
    write_images(
        {"images": images, **named(generator_of(loaded).labels_of(latents))},
        lambda: _sheet(loaded, latents, images, settings),
        settings.format,
        path,
    )


def real_points(loaded: LoadedRun) -> Tensor | None:
    """Training points to draw generated ones over; None for images."""
    if not loaded.points:
        return None
    data = loaded.data
    return take(data.image_set, drawn(data.indices("train"), POINTS)).images


def _check_grid(images: int, columns: int, key: str) -> None:
    """Raise ConfigError for more images than a grid can have, once for every truncation."""
    if images * columns > MOST_IN_GRID:
        times = f" at {columns} truncations each" if columns > 1 else ""
        raise ConfigError(
            f"{key}: a grid has at most {MOST_IN_GRID:,} images, not {images:,}{times}; set a "
            "smaller number, format=npz or format=png"
        )


def _sheet(loaded: LoadedRun, latents: Tensor, images: Tensor, settings: Sample) -> Image.Image:
    """A grid of images, with rows for each class if a conditional model shows several.

    With several truncations, a row for each latent and a column for each truncation.
    """
    seeds, truncations = seeds_of(settings.seeds), listed(settings.truncation)
    captions = [f"{number:g}" for number in truncations]
    if len(truncations) < 2:
        caption = "".join(f"truncation {number}" for number in captions)
        learner = generator_of(loaded)
        if learner.condition is not None and not are_points(images):
            labelled = shown_label(learner.labels_of(latents), learner.condition.classes)
            if labelled:
                return by_class(images, *labelled, caption)
        return sheet(images, caption, reals=real_points(loaded))
    if are_points(images):
        raise ConfigError(
            "points are drawn for one truncation at a time: choose one, or format=npz"
        )
    captions_of_seeds = [f"seed {seed}" for seed in seeds]
    return with_caption(
        with_both_captions(grid(images, len(truncations)), captions_of_seeds, captions),
        "truncation of each column",
    )


def _name(settings: Sample) -> str:
    """The file name, by seeds, classes and truncations."""
    seeds = "_".join(map(str, listed(settings.seeds)))
    drawn = f"seeds{seeds}" if seeds else f"seed{settings.seed}_{settings.count}"
    for label, kind in (settings.labels or {}).items():
        drawn += "_" + re.sub(r"\W+", "_", f"{label}_{kind}")
    if truncations := "_".join(f"{number:g}" for number in listed(settings.truncation)):
        layers = settings.truncation_layers
        drawn += f"_truncation{truncations}" + (
            f"_layers{layers}" if layers != USUAL_LAYERS else ""
        )
    return f"samples_{drawn}"
