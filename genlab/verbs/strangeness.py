"""How strange images are to an autoencoder: what scores them, and the images that are scored."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.data.stream import Batch, on_device, take
from genlab.errors import ConfigError, DataError
from genlab.learners.abilities import EstimatesLikelihood
from genlab.learners.learner import seed_noise
from genlab.metrics import squared_error
from genlab.opened import Opened
from genlab.pixels import normalise
from genlab.verbs import files
from genlab.verbs.held_out import choose, condition_of, positions
from genlab.words import readable

log = logging.getLogger(__name__)

Score = Callable[[Batch], Tensor]
"""Images uint8 (B, C, H, W) with labels to (B,), the higher the stranger, on the CPU."""


class Scored(NamedTuple):
    """Images with their scores.

    Attributes:
        names: what to call each, N of them.
        scores: (N,), the higher the stranger.
        classes: the class of each by label, where images have labels.
        again: the images at some places among the names.
    """

    names: Sequence[str]
    scores: Tensor
    classes: Mapping[str, Sequence[str]]
    again: Callable[[Sequence[int]], Batch]


def by_reconstruction(opened: Opened) -> Score:
    """The mean squared error per pixel on [0, 1].

    An autoencoder rebuilds badly what it was not trained on: Sakurada and Yairi 2014,
    https://doi.org/10.1145/2689746.2689747.
    """
    learner: Any = opened.learner

    def score(batch: Batch) -> Tensor:
        images, labels = on_device(batch, opened.device)
        prepared = learner.prepare(images)
        return squared_error(learner.reconstruct(prepared, labels), prepared).cpu()

    return score


def by_likelihood(opened: Opened, samples: int) -> Score:
    """-log p(x) in nats by importance weighting (Burda et al. 2016, equation 8).

    The reconstruction probability of An and Cho 2015 (SNU Data Mining Center, technical report
    2015-2) is the mean of log p(x | z) over codes z of the image; importance weighting counts how
    usual the codes are as well.
    """
    refused = ConfigError(
        "by=likelihood: codes of this model have no posterior, as those of model=vae have: use "
        "by=reconstruction"
    )
    if not isinstance(opened.learner, EstimatesLikelihood):
        raise refused
    learner: Any = opened.learner

    def score(batch: Batch) -> Tensor:
        images, labels = on_device(batch, opened.device)
        estimate = learner.log_likelihood(learner.prepare(images), labels, samples)
        if estimate is None:
            raise refused
        return -estimate.cpu()

    return score


def by_mean(opened: Opened, indices: np.ndarray, batch_size: int) -> Score:
    """The squared distance per pixel to the mean of the images at `indices`: a naive baseline."""
    total: Any = 0
    for batch in _batches(opened, indices, batch_size):
        total = total + normalise(batch.images).double().sum(0)
    mean = (total / len(indices)).float()
    return lambda batch: squared_error(mean.expand_as(batch.images), normalise(batch.images))


def of_files(opened: Opened, score: Score, config: Mapping[str, Any]) -> Scored:
    """The pictures that `image` names, called by their paths."""
    if condition_of(opened):
        raise ConfigError("image=: this model is told labels, which files do not say: use split=")
    paths = files.listed(config["image"], "image", config["out"])
    found: list[Path] = []
    scores = []
    seed_noise(config["seed"])
    for some, images in files.batches(paths, opened.config, config["batch_size"]):
        found += some
        scores.append(score(Batch(images, {})))

    read = files.reader(opened.config)

    def again(places: Sequence[int]) -> Batch:
        return Batch(torch.stack([read(found[place]) for place in places]), {})

    return Scored([readable(path) for path in found], torch.cat(scores), {}, again)


def of_split(
    opened: Opened, score: Score, indices: np.ndarray, config: Mapping[str, Any]
) -> Scored:
    """The images at `indices`, called by their places in the split."""
    image_set, split = opened.data.image_set, config["split"]
    places = np.searchsorted(positions(opened, split), indices)
    return Scored(
        [f"{split} {place}" for place in places],
        scores_of(opened, score, indices, config),
        {
            label: [image_set.classes[label][number] for number in numbers[indices]]
            for label, numbers in image_set.labels.items()
        },
        lambda places: take(image_set, indices[list(places)]),
    )


def normal_scores(opened: Opened, score: Score, config: Mapping[str, Any]) -> Tensor | None:
    """Of validation images, (M,), which have no class that is left out; None without any.

    None as well, with a warning, where files are scored and the data are gone.
    """
    try:
        available = len(opened.data.indices("validation"))
    except DataError as error:
        if config["image"] is None:
            raise
        log.warning("scores stand alone, without those of normal images: %s", error)
        return None
    count = min(config["normal_images"], available)
    if not count:
        log.warning("the run has no validation images to say how usual scores are")
        return None
    indices = choose(opened, "validation", count, config["seed"])
    return scores_of(opened, score, indices, config)


def scores_of(
    opened: Opened, score: Score, indices: np.ndarray, config: Mapping[str, Any]
) -> Tensor:
    """Of the images at `indices`, (N,)."""
    seed_noise(config["seed"])
    return torch.cat([score(b) for b in _batches(opened, indices, config["batch_size"])])


def _batches(opened: Opened, indices: np.ndarray, batch_size: int) -> Iterator[Batch]:
    for start in range(0, len(indices), batch_size):
        yield take(opened.data.image_set, indices[start : start + batch_size])
