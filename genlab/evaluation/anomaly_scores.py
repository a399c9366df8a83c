"""Anomaly scores of images by an autoencoder, and the images that are scored."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.data.stream import Batch, on_device, take
from genlab.errors import ConfigError, DataError
from genlab.evaluation.normal_scores import (
    NormalScores,
    ScoreFunction,
    batches,
    measure_scores,
    scores_of,
    store_scores,
    stored_scores,
)
from genlab.io.files import may_write
from genlab.learners.abilities import EstimatesLikelihood
from genlab.metrics import squared_error
from genlab.pixels import normalise
from genlab.runs.held_out import positions
from genlab.runs.loaded import LoadedRun
from genlab.settings.score import Score

log = logging.getLogger(__name__)


class ScoredImages(NamedTuple):
    """Images with their scores.

    Attributes:
        names: of the N images.
        scores: (N,), higher for anomalies.
        classes: the class of each by label, if images have labels.
        load_images: loads the images at some positions of `names`.
    """

    names: Sequence[str]
    scores: Tensor
    classes: Mapping[str, Sequence[str]]
    load_images: Callable[[Sequence[int]], Batch]


def negative_log_likelihood(loaded: LoadedRun, samples: int) -> ScoreFunction:
    """Score by -log p(x) in nats, by importance weighting (Burda et al. 2016, equation 8).

    The reconstruction probability of An and Cho 2015 (SNU Data Mining Center, technical report
    2015-2) is the mean of log p(x | z) over codes z of the image; importance weighting takes the
    prior probability of the codes into account as well.
    """
    refused = ConfigError(
        "by=likelihood needs a posterior of codes, which model=vae has and this model has not: use "
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


def distance_to_mean(loaded: LoadedRun, indices: np.ndarray, batch_size: int) -> ScoreFunction:
    """Score by the squared distance per pixel to the mean of the images at `indices`."""
    total: Any = 0
    for batch in batches(loaded, indices, batch_size):
        total = total + normalise(batch.images).double().sum(0)
    mean = (total / len(indices)).float()
    return lambda batch: squared_error(mean.expand_as(batch.images), normalise(batch.images))


def score_split(
    loaded: LoadedRun, score: ScoreFunction, indices: np.ndarray, settings: Score
) -> ScoredImages:
    """Score the images at `indices`, named by their positions in the split."""
    image_set, split = loaded.data.image_set, settings.split
    places = np.searchsorted(positions(loaded, split), indices)
    return ScoredImages(
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
    """Scores (M,) of validation images of classes that are not left out; None without such images.

    Stored scores of the run are used if they were measured with these settings, or if files are
    scored and the data are missing; else the images are scored now, and the scores are stored. None
    as well, with a warning, if files are scored, the data are missing and no scores are stored.
    """
    samples = settings.samples if by == "likelihood" else None
    wanted = NormalScores(torch.empty(0), settings.normal_images, settings.seed, samples)
    stored = stored_scores(loaded, by, samples)
    if stored and (stored.wanted, stored.seed) == (wanted.wanted, wanted.seed):
        return stored.scores
    try:
        measured = measure_scores(loaded, score, wanted, settings.batch_size)
    except DataError as error:
        if settings.image is None:
            raise
        if stored is None:
            log.warning("no scores of normal images to compare with: %s", error)
            return None
        log.info("comparing with %d validation images, stored with the run", len(stored.scores))
        return stored.scores
    if measured is None:
        log.warning("the run has no validation images to compare scores with")
        return None
    if stored is None and may_write(loaded.folder.path):
        store_scores(loaded, by, measured)
    return measured.scores
