"""Scores of generated and translated images against real ones, in the features of a network."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from genlab import ranks
from genlab.data.image_set import drawn
from genlab.data.stream import take
from genlab.drawing.image_grid import grid, save_png, with_caption, with_row_captions
from genlab.drawing.sheets import are_points
from genlab.errors import ConfigError
from genlab.evaluation.memorisation import Memorisation, memorisation
from genlab.evaluation.reference import Reference, build_reference
from genlab.evaluation.translations import translated, translation_scores, translation_sheet
from genlab.learners.abilities import Generates, Translates
from genlab.networks.styles import own_noise
from genlab.processes import launch, peers
from genlab.runs.held_out import condition_of
from genlab.runs.loaded import LoadedRun
from genlab.runs.sampling import generate
from genlab.settings.evaluate import Evaluate

log = logging.getLogger(__name__)


def image_scores(
    loaded: LoadedRun, settings: Evaluate, stamp: dict[str, Any], path: Path
) -> dict[str, float]:
    """Scores of a run's images by what its model does; figures are written beside `path`."""
    if isinstance(loaded.learner, Generates):
        return _generated(loaded, _real(loaded, settings), settings, stamp, path)
    if isinstance(loaded.learner, Translates):
        return _translations(loaded, _real(loaded, settings), settings, stamp, path)
    return {}


def _real(loaded: LoadedRun, settings: Evaluate) -> Reference:
    """The images of the split; ConfigError for too few to measure distances."""
    if settings.count < 2:
        raise ConfigError(
            f"count={settings.count}: distances need at least 2 images; or use features=none"
        )
    return build_reference(
        loaded.config,
        loaded.data,
        settings.split,
        settings.count,
        settings.features,
        loaded.device,
    )


def _generated(
    loaded: LoadedRun, reference: Reference, settings: Evaluate, stamp: dict[str, Any], path: Path
) -> dict[str, float]:
    """Scores of generated images against the split's images, and against the training part."""
    count, seed = settings.count, settings.seed
    peers.join(loaded.device.type)
    reference.features = ranks.gather(
        reference.features_of(ranks.shard(reference.images), "features of real images")
    )
    labels = reference.target_labels(condition_of(loaded), count, seed)
    with own_noise(loaded.learner):
        images, conditions = generate(loaded, count, seed, settings.batch_size, labels)
    features = ranks.gather(reference.features_of(ranks.shard(images), "features of samples"))
    if launch.rank() > 0:
        return {}
    stamp |= reference.stamp | {
        "generated_images": len(images),
        "reference_images": len(reference.images),
        "seed": seed,
    }
    assert isinstance(loaded.learner, Generates)
    if loaded.learner.styles is not None:
        stamp["noise"] = "own"
    scores = reference.score_all(images, features, conditions)
    chosen = min(settings.memorisation_images, count)
    if are_points(images):
        return scores
    training = take(loaded.data.image_set, loaded.data.indices("train")).images
    some = torch.from_numpy(drawn(np.arange(len(reference.images)), chosen))
    found = memorisation(images[:chosen], reference.images[some], training)
    stamp["memorisation_images"] = chosen
    neighbours = path.with_name(f"{path.stem}_neighbours.png")
    save_png(_neighbours(found), neighbours)
    log.info("wrote %s", neighbours)
    if found.ratio is not None:
        scores["nearest_training_ratio"] = found.ratio
    return scores | {"copies": found.copies}


def _translations(
    loaded: LoadedRun, reference: Reference, settings: Evaluate, stamp: dict[str, Any], path: Path
) -> dict[str, float]:
    """Scores of translated images of the split against their targets."""
    directions = translated(loaded, settings.split, settings.count, settings.batch_size)
    stamp |= reference.stamp | {"translated_images": len(reference.images)}
    sheet = path.with_name(f"{path.stem}_translations.png")
    save_png(translation_sheet(directions), sheet)
    log.info("wrote %s", sheet)
    return translation_scores(directions, reference)


def _neighbours(found: Memorisation) -> Image.Image:
    """Rows of a generated image and the training images nearest to it."""
    count, columns = found.distances.shape
    rows = [
        torch.cat([image[None], neighbours])
        for image, neighbours in zip(
            found.images, found.neighbours.unflatten(0, (count, columns)), strict=True
        )
    ]
    sheet = grid(torch.cat(rows), columns + 1, apart=(1,))
    captions = [" ".join(f"{value:.3f}" for value in row) for row in found.distances.tolist()]
    caption = (
        "generated images nearest to the training part, and the nearest training images with "
        "their distances (root mean square of pixels on [0, 1])"
    )
    return with_caption(with_row_captions(sheet, captions), caption)
