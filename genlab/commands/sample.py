"""`genlab sample`: new pictures from a trained model."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from genlab.commands.opening import open_asked
from genlab.commands.outputs import named, write_pictures
from genlab.data.image_set import drawn
from genlab.data.stream import take
from genlab.drawing.pictures import grid, with_both_captions, with_caption
from genlab.drawing.sheets import POINTS, are_points, beside, sheet
from genlab.editing.space import latents_of_seed
from genlab.errors import ConfigError
from genlab.latent.truncation import truncated_normal
from genlab.learners.abilities import Generates
from genlab.networks.styles import truncated
from genlab.pixels import to_uint8
from genlab.runs.loaded import Opened
from genlab.runs.sampling import decoded, generator_of, labels_named, latents_for
from genlab.settings.fields import seeds_of
from genlab.settings.sample import Sample

MOST_IN_GRID = 10_000
USUAL_LAYERS = 8  # whose styles are truncated


def run(settings: Sample) -> None:
    """Draw latents from the seeds, truncate, generate, write."""
    seeds, truncations = seeds_of(settings.seeds), _listed(settings.truncation)
    if settings.format == "grid":
        count, key = (len(seeds), "seeds") if seeds else (settings.count, "count")
        _check_grid(count, max(len(truncations), 1), key)
    opened = open_asked(settings)
    learner = generator_of(opened)
    if truncations:
        _check(opened, truncations)
    latents = _latents(learner, settings, seeds)
    if truncations:
        views = [_truncated(opened, latents, number, settings) for number in truncations]
        pictures = beside(*views)
        latents = latents.repeat_interleave(len(truncations), 0)
    else:
        pictures = decoded(opened, latents, settings.batch_size)
    write_pictures(
        {"images": pictures, **named(learner.labels_of(latents))},
        lambda: _sheet(opened, pictures, truncations, seeds),
        settings,
        opened.folder,
        _name(settings) + opened.folder.tag,
    )


def real_points(opened: Opened) -> Tensor | None:
    """Training points to show generated ones over; None where the data are pictures."""
    if not opened.points:
        return None
    data = opened.data
    return take(data.image_set, drawn(data.indices("train"), POINTS)).images


def _check_grid(pictures: int, columns: int, key: str) -> None:
    """ConfigError for more pictures than a grid has, each once for every truncation."""
    if pictures * columns > MOST_IN_GRID:
        times = f" at {columns} truncations each" if columns > 1 else ""
        raise ConfigError(
            f"{key}: a grid holds at most {MOST_IN_GRID:,} pictures, not {pictures:,}{times}; "
            "ask for fewer, or set format=npz or format=png"
        )


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _latents(learner: Generates, settings: Sample, seeds: Sequence[int]) -> Tensor:
    """One for each of the seeds, or as many as are asked for by a single one."""
    labels = settings.labels or {}
    if not seeds:
        return latents_for(learner, settings.count, settings.seed, labels)
    with labels_named():
        return torch.cat([latents_of_seed(learner, seed, labels) for seed in seeds])


def _check(opened: Opened, truncations: Sequence[float]) -> None:
    """ConfigError for truncations that the model's styles or latents do not take."""
    learner = generator_of(opened)
    if learner.styles is not None:
        if min(truncations) < 0:
            raise ConfigError(f"truncation={min(truncations)} must be at least 0")
        return
    if min(truncations) <= 0:
        raise ConfigError(
            f"truncation={min(truncations)} must be more than 0 for a model without styles"
        )
    drawn = _noise(learner, learner.latents(2, torch.Generator().manual_seed(0), {}))
    normal = torch.randn(drawn.shape, generator=torch.Generator().manual_seed(0))
    if not torch.equal(drawn, normal):
        raise ConfigError(
            f"run={opened.folder.path}: its codes are not drawn from N(0, I), which truncation is "
            "for: leave truncation out, or choose the run of a GAN or a VAE"
        )


def _noise(learner: Generates, latents: Tensor) -> Tensor:
    """Latents (B, n) without the labels behind them."""
    told = learner.condition.width if learner.condition else 0
    return latents[:, : latents.shape[1] - told]


def _truncated(opened: Opened, latents: Tensor, truncation: float, settings: Sample) -> Tensor:
    """Pictures uint8 of latents (B, n) whose styles, or else whose noise, is truncated."""
    learner = generator_of(opened)
    styles, layers, batch_size = learner.styles, settings.truncation_layers, settings.batch_size
    if styles is None:
        noise = _noise(learner, latents)
        told = latents[:, noise.shape[1] :]
        nearer = torch.cat([truncated_normal(noise, truncation), told], 1)
        return decoded(opened, nearer, batch_size)

    def pictures(z: Tensor) -> Tensor:
        return to_uint8(styles.pictures(truncated(styles.of(z), styles.mean, truncation, layers)))

    return opened.in_batches(pictures, latents, batch_size)


def _sheet(
    opened: Opened, pictures: Tensor, truncations: Sequence[float], seeds: Sequence[int]
) -> Image.Image:
    """A grid; of several truncations a row for each latent and a column for each truncation."""
    captions = [f"{number:g}" for number in truncations]
    if len(truncations) < 2:
        caption = "".join(f"truncation {number}" for number in captions)
        return sheet(pictures, caption, reals=real_points(opened))
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
    seeds = "_".join(map(str, _listed(settings.seeds)))
    drawn = f"seeds{seeds}" if seeds else f"seed{settings.seed}_{settings.count}"
    for label, kind in (settings.labels or {}).items():
        drawn += "_" + re.sub(r"\W+", "_", f"{label}_{kind}")
    if truncations := "_".join(f"{number:g}" for number in _listed(settings.truncation)):
        layers = settings.truncation_layers
        drawn += f"_truncation{truncations}" + (
            f"_layers{layers}" if layers != USUAL_LAYERS else ""
        )
    return f"samples_{drawn}"
