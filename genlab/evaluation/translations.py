"""Scores of translators on held-out images, for each direction."""

from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.data.image_set import drawn
from genlab.data.stream import on_device
from genlab.drawing.image_grid import grid
from genlab.drawing.sheets import side_by_side
from genlab.evaluation.reference import Reference
from genlab.learners.learner import seed_noise
from genlab.metrics import frechet_distance
from genlab.pixels import to_uint8
from genlab.runs.loaded import LoadedRun

SHOWN = 24  # images of each direction, a multiple of 4


class Direction(NamedTuple):
    """Images uint8 (N, C, H, W) before and after translation, and targets; see `Translated`."""

    before: Tensor
    after: Tensor
    target: Tensor
    paired: bool


def translated(loaded: LoadedRun, split: str, count: int, batch_size: int) -> dict[str, Direction]:
    """`count` images of the split, see `drawn`, translated in every direction."""
    learner: Any = loaded.learner
    parts: dict[str, list[Direction]] = {name: [] for name in learner.directions}
    for number, batch in enumerate(loaded.data.held_out(split, batch_size, count)):
        seed_noise(number)  # for holes, so that they are the same in every measurement
        images, labels = on_device(batch, loaded.device)
        for name, made in learner.translated(learner.prepare(images), labels).items():
            before, after, target = (
                to_uint8(view).cpu() for view in (made.before, made.after, made.target)
            )
            parts[name].append(Direction(before, after, target, made.paired))
    return {
        name: Direction(
            torch.cat([part.before for part in those]),
            torch.cat([part.after for part in those]),
            torch.cat([part.target for part in those]),
            those[0].paired,
        )
        for name, those in parts.items()
    }


def translation_scores(directions: dict[str, Direction], reference: Reference) -> dict[str, float]:
    """Distances to the targets after and before translation, in the network's features.

    The Frechet distance is between sets. If images are paired with targets, the perceptual distance
    is the mean over pairs of the squared distance between features, divided by its mean between
    targets of different images (the idea of Johnson et al. 2016, section 3.2,
    https://arxiv.org/abs/1603.08155).
    """
    scores: dict[str, float] = {}
    for name, made in directions.items():
        target = reference.features_of(made.target)
        apart = 2 * target.var(0).sum().clamp(min=1e-12)
        for moment, images in (("", made.after), ("before/", made.before)):
            features = reference.features_of(images)
            scores[f"frechet_distance/{moment}{name}"] = frechet_distance(target, features)
            if made.paired:
                squares = (features - target).square().sum(1).mean()
                scores[f"perceptual_distance/{moment}{name}"] = float(squares / apart)
    return scores


def translation_sheet(directions: dict[str, Direction]) -> Image.Image:
    """A grid of a few images before and after translation, and their targets if they are paired."""
    paired = all(made.paired for made in directions.values())
    rows = []
    for made in directions.values():
        views = [made.before, made.after, *([made.target] if paired else [])]
        some = torch.from_numpy(drawn(np.arange(len(made.before)), SHOWN))
        rows.append(side_by_side(*(view[some] for view in views)))
    caption = "before, after" + (", image" if paired else "")
    return grid(torch.cat(rows), 4 * len(views), f"{caption}: {', '.join(directions)}")
