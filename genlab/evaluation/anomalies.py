"""How strange images are to an autoencoder: what scores them, and the images that are scored."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.data.stream import Batch, on_device, take
from genlab.errors import ConfigError, DataError
from genlab.evaluation.normal import Normal, ScoreFunction, batches, keep, kept, measured, scores_of
from genlab.io.files import may_write
from genlab.learners.abilities import EstimatesLikelihood
from genlab.metrics import squared_error
from genlab.pixels import normalise
from genlab.runs.held_out import positions
from genlab.runs.loaded import LoadedRun
from genlab.settings.score import Score

log = logging.getLogger(__name__)


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


def by_likelihood(loaded: LoadedRun, samples: int) -> ScoreFunction:
    """-log p(x) in nats by importance weighting (Burda et al. 2016, equation 8).

    The reconstruction probability of An and Cho 2015 (SNU Data Mining Center, technical report
    2015-2) is the mean of log p(x | z) over codes z of the image; importance weighting counts how
    usual the codes are as well.
    """
    refused = ConfigError(
        "by=likelihood: codes of this model have no posterior, as those of model=vae have: use "
        "by=reconstruction"
    )
    if not isinstance(loaded.learner, EstimatesLikelihood):
        raise refused
    learner: Any = loaded.learner

    def score(batch: Batch) -> Tensor:
        images, labels = on_device(batch, loaded.device)
        estimate = learner.log_likelihood(learner.prepare(images), labels, samples)
        if estimate is None:
            raise refused
        result: Tensor = -estimate.cpu()
        return result

    return score


def by_mean(loaded: LoadedRun, indices: np.ndarray, batch_size: int) -> ScoreFunction:
    """The squared distance per pixel to the mean of the images at `indices`: a naive baseline."""
    total: Any = 0
    for batch in batches(loaded, indices, batch_size):
        total = total + normalise(batch.images).double().sum(0)
    mean = (total / len(indices)).float()
    return lambda batch: squared_error(mean.expand_as(batch.images), normalise(batch.images))


def of_split(
    loaded: LoadedRun, score: ScoreFunction, indices: np.ndarray, settings: Score
) -> Scored:
    """The images at `indices`, called by their places in the split."""
    image_set, split = loaded.data.image_set, settings.split
    places = np.searchsorted(positions(loaded, split), indices)
    return Scored(
        [f"{split} {place}" for place in places],
        scores_of(loaded, score, indices, settings.seed, settings.batch_size),
        {
            label: [image_set.classes[label][number] for number in numbers[indices]]
            for label, numbers in image_set.labels.items()
        },
        lambda places: take(image_set, indices[list(places)]),
    )


def normal_scores(
    loaded: LoadedRun, score: ScoreFunction, by: str, settings: Score
) -> Tensor | None:
    """Of validation images, (M,), which have no class that is left out; None without any.

    Those that are kept in the run where they were measured in the way that is asked for, or where
    files are scored and the data are gone; else they are measured now, and kept. None as well, with
    a warning, where files are scored, the data are gone and none are kept.
    """
    samples = settings.samples if by == "likelihood" else None
    asked = Normal(torch.empty(0), settings.normal_images, settings.seed, samples)
    there = kept(loaded, by, samples)
    if there and (there.wanted, there.seed) == (asked.wanted, asked.seed):
        return there.scores
    try:
        found = measured(loaded, score, asked, settings.batch_size)
    except DataError as error:
        if settings.image is None:
            raise
        if there is None:
            log.warning("scores stand alone, without those of normal images: %s", error)
            return None
        log.info("beside %d validation images, kept with the run", len(there.scores))
        return there.scores
    if found is None:
        log.warning("the run has no validation images to say how usual scores are")
        return None
    if there is None and may_write(loaded.folder.path):
        keep(loaded, by, found)
    return found.scores
