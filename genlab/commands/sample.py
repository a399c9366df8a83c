"""`genlab sample`: new pictures from a trained model."""

import re

from PIL import Image
from torch import Tensor

from genlab.commands.loading import load_run_for
from genlab.commands.outputs import named, place_of, write_pictures
from genlab.data.image_set import drawn
from genlab.data.stream import take
from genlab.drawing.labelled import by_class, shown_label
from genlab.drawing.pictures import grid, with_both_captions, with_caption
from genlab.drawing.sheets import POINTS, are_points, sheet
from genlab.errors import ConfigError
from genlab.runs.loaded import LoadedRun
from genlab.runs.sampling import (
    drawn_images,
    generator_of,
    listed,
)
from genlab.settings.fields import seeds_of
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
    latents, pictures = drawn_images(loaded, settings)
    write_pictures(
        {"images": pictures, **named(generator_of(loaded).labels_of(latents))},
        lambda: _sheet(loaded, latents, pictures, settings),
        settings.format,
        path,
    )


def real_points(loaded: LoadedRun) -> Tensor | None:
    """Training points to show generated ones over; None where the data are pictures."""
    if not loaded.points:
        return None
    data = loaded.data
    return take(data.image_set, drawn(data.indices("train"), POINTS)).images


def _check_grid(pictures: int, columns: int, key: str) -> None:
    """ConfigError for more pictures than a grid has, each once for every truncation."""
    if pictures * columns > MOST_IN_GRID:
        times = f" at {columns} truncations each" if columns > 1 else ""
        raise ConfigError(
            f"{key}: a grid holds at most {MOST_IN_GRID:,} pictures, not {pictures:,}{times}; "
            "ask for fewer, or set format=npz or format=png"
        )


def _sheet(loaded: LoadedRun, latents: Tensor, pictures: Tensor, settings: Sample) -> Image.Image:
    """A grid; rows for each class of a conditional model that shows several.

    Of several truncations a row for each latent and a column for each truncation.
    """
    seeds, truncations = seeds_of(settings.seeds), listed(settings.truncation)
    captions = [f"{number:g}" for number in truncations]
    if len(truncations) < 2:
        caption = "".join(f"truncation {number}" for number in captions)
        learner = generator_of(loaded)
        if learner.condition is not None and not are_points(pictures):
            labelled = shown_label(learner.labels_of(latents), learner.condition.classes)
            if labelled:
                return by_class(pictures, *labelled, caption)
        return sheet(pictures, caption, reals=real_points(loaded))
    if are_points(pictures):
        raise ConfigError(
            "points are drawn for one truncation at a time: choose one, or format=npz"
        )
    told = [f"seed {seed}" for seed in seeds]
    return with_caption(
        with_both_captions(grid(pictures, len(truncations)), told, captions),
        "truncation of each column",
    )


def _name(settings: Sample) -> str:
    """What files are called: by the seeds, classes and truncations."""
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
