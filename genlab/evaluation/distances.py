"""Scores in the features of a network, of made pictures against those that they should be like."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from genlab import ranks
from genlab.data.image_set import drawn
from genlab.data.stream import take
from genlab.drawing.pictures import grid, save_png, with_caption, with_row_captions
from genlab.drawing.sheets import are_points
from genlab.errors import ConfigError
from genlab.evaluation.reference import Memorisation, Reference, memorisation, reference
from genlab.evaluation.translations import translated, translation_scores, translation_sheet
from genlab.learners.abilities import Generates, Translates
from genlab.networks.styles import own_noise
from genlab.processes import launch, peers
from genlab.runs.held_out import condition_of
from genlab.runs.loaded import LoadedRun
from genlab.runs.sampling import generate
from genlab.settings.evaluate import Evaluate

log = logging.getLogger(__name__)


def distances_of(
    loaded: LoadedRun, settings: Evaluate, stamp: dict[str, Any], path: Path
) -> dict[str, float]:
    """What is told in the features of a network, with pictures beside `path`."""
    if isinstance(loaded.learner, Generates):
        return _generated(loaded, _real(loaded, settings), settings, stamp, path)
    if isinstance(loaded.learner, Translates):
        return _translations(loaded, _real(loaded, settings), settings, stamp, path)
    return {}


def _real(loaded: LoadedRun, settings: Evaluate) -> Reference:
    """The images of the split; ConfigError for too few to measure distances with."""
    if settings.count < 2:
        raise ConfigError(f"count={settings.count}: distances need 2 at least, or features=none")
    return reference(
        loaded.config,
        loaded.data,
        settings.split,
        settings.count,
        settings.features,
        loaded.device,
    )


def _generated(
    loaded: LoadedRun, held: Reference, settings: Evaluate, stamp: dict[str, Any], path: Path
) -> dict[str, float]:
    """Generated pictures against the split's images, and against the training part."""
    count, seed = settings.count, settings.seed
    peers.join(loaded.device.type)
    held.features = ranks.gather(held.see(ranks.shard(held.images)))
    labels = held.asked(condition_of(loaded), count, seed)
    with own_noise(loaded.learner):
        pictures, asked = generate(loaded, count, seed, settings.batch_size, labels)
    features = ranks.gather(held.see(ranks.shard(pictures)))
    if launch.rank() > 0:
        return {}
    stamp |= held.stamp | {
        "generated_images": len(pictures),
        "reference_images": len(held.images),
        "seed": seed,
    }
    assert isinstance(loaded.learner, Generates)
    if loaded.learner.styles is not None:
        stamp["noise"] = "own"
    scores = held.score_all(pictures, features, asked)
    chosen = min(settings.memorisation_images, count)
    if are_points(pictures):
        return scores
    training = take(loaded.data.image_set, loaded.data.indices("train")).images
    some = torch.from_numpy(drawn(np.arange(len(held.images)), chosen))
    found = memorisation(pictures[:chosen], held.images[some], training)
    stamp["memorisation_images"] = chosen
    neighbours = path.with_name(f"{path.stem}_neighbours.png")
    save_png(_neighbours(found), neighbours)
    log.info("wrote %s", neighbours)
    if found.ratio is not None:
        scores["nearest_training_ratio"] = found.ratio
    return scores | {"copies": found.copies}


def _translations(
    loaded: LoadedRun, held: Reference, settings: Evaluate, stamp: dict[str, Any], path: Path
) -> dict[str, float]:
    """Translated images of the split against what they should have become."""
    directions = translated(loaded, settings.split, settings.count, settings.batch_size)
    stamp |= held.stamp | {"translated_images": len(held.images)}
    sheet = path.with_name(f"{path.stem}_translations.png")
    save_png(translation_sheet(directions), sheet)
    log.info("wrote %s", sheet)
    return translation_scores(directions, held)


def _neighbours(found: Memorisation) -> Image.Image:
    """Rows of a generated picture and the training images nearest to it."""
    count, columns = found.distances.shape
    rows = [
        torch.cat([picture[None], neighbours])
        for picture, neighbours in zip(
            found.pictures, found.neighbours.unflatten(0, (count, columns)), strict=True
        )
    ]
    sheet = grid(torch.cat(rows), columns + 1, apart=(1,))
    told = [" ".join(f"{value:.3f}" for value in row) for row in found.distances.tolist()]
    caption = (
        "generated pictures nearest to the training part, and the nearest training images with "
        "their distances (root mean square of pixels on [0, 1])"
    )
    return with_caption(with_row_captions(sheet, told), caption)
