"""What translators score on held-out images, in each of their directions."""

from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.data.image_set import drawn
from genlab.data.stream import on_device
from genlab.drawing.pictures import grid
from genlab.drawing.sheets import beside
from genlab.evaluation.reference import Reference
from genlab.learners.learner import seed_noise
from genlab.metrics import frechet_distance
from genlab.pixels import to_uint8
from genlab.runs.loaded import LoadedRun

SHOWN = 24  # pictures of each direction, a multiple of 4


class Direction(NamedTuple):
    """Pictures uint8 (N, C, H, W) before and after, and targets; see `Translated`."""

    before: Tensor
    after: Tensor
    target: Tensor
    paired: bool


def translated(loaded: LoadedRun, split: str, count: int, batch_size: int) -> dict[str, Direction]:
    """`count` images of the split, see `drawn`, translated in every direction."""
    learner: Any = loaded.learner
    parts: dict[str, list[Direction]] = {name: [] for name in learner.directions}
    for number, batch in enumerate(loaded.data.held_out(split, batch_size, count)):
        seed_noise(number)  # of holes: the same in every measurement
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


def translation_scores(directions: dict[str, Direction], held: Reference) -> dict[str, float]:
    """Distances to the targets after each direction, and before it, in the network's features.

    The Frechet distance is between sets. Where pictures are paired with targets, the perceptual
    distance is the mean over pairs of the squared distance between features, over its mean between
    targets that belong to different images (the idea of Johnson et al. 2016, section 3.2,
    https://arxiv.org/abs/1603.08155).
    """
    scores: dict[str, float] = {}
    for name, made in directions.items():
        target = held.see(made.target)
        apart = 2 * target.var(0).sum().clamp(min=1e-12)
        for moment, pictures in (("", made.after), ("before/", made.before)):
            features = held.see(pictures)
            scores[f"frechet_distance/{moment}{name}"] = frechet_distance(target, features)
            if made.paired:
                squares = (features - target).square().sum(1).mean()
                scores[f"perceptual_distance/{moment}{name}"] = float(squares / apart)
    return scores


def translation_sheet(directions: dict[str, Direction]) -> Image.Image:
    """A few pictures before and after, and their targets where each has one."""
    paired = all(made.paired for made in directions.values())
    rows = []
    for made in directions.values():
        views = [made.before, made.after, *([made.target] if paired else [])]
        some = torch.from_numpy(drawn(np.arange(len(made.before)), SHOWN))
        rows.append(beside(*(view[some] for view in views)))
    told = "before, after" + (", image" if paired else "")
    return grid(torch.cat(rows), 4 * len(views), f"{told}: {', '.join(directions)}")
