"""Anomaly scores of a run's own validation images: measured once, and stored in the run.

Scores of other images are compared with these, also if the run's data are missing.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.image_set import drawn
from genlab.data.progress import late_progress
from genlab.data.stream import Batch, on_device, take
from genlab.errors import CheckpointError
from genlab.io.files import write_text
from genlab.io.reading import read_json
from genlab.io.schemas import COUNT, FINITE, TEXT, Kind
from genlab.learners import Learner
from genlab.learners.abilities import Generates, Reconstructs, Translates
from genlab.learners.learner import seed_noise
from genlab.metrics import squared_error, state_sha256
from genlab.runs.loaded import LoadedRun, load_run
from genlab.runs.run_folder import RunFolder

log = logging.getLogger(__name__)

IMAGES = 2000  # of the validation part, as on the page of `genlab score`
SEED = 0
MOST_KEPT = 100_000  # 2 MB of text

ScoreFunction = Callable[[Batch], Tensor]
"""Images uint8 (B, C, H, W) with labels to scores (B,), on the CPU, higher for anomalies."""

_SAMPLES = Kind("a whole number or null", lambda value: value is None or COUNT.holds(value))
_SCORES = {"seed": COUNT, "wanted": COUNT, "samples": _SAMPLES, "scores": [FINITE]}
_FILE = {"weights_sha256": TEXT, "reconstruction?": _SCORES, "likelihood?": _SCORES}


@dataclass(frozen=True)
class NormalScores:
    """Scores of validation images.

    Attributes:
        scores: (M,), higher for anomalies.
        wanted: the number of images in the settings; there may be fewer.
        seed: of the choice of images, and of codes.
        samples: codes of each image, for likelihoods; None for reconstructions.
    """

    scores: Tensor
    wanted: int
    seed: int
    samples: int | None = None


def reconstruction_error(loaded: LoadedRun) -> ScoreFunction:
    """Score by the mean squared error per pixel on [0, 1].

    An autoencoder reconstructs images badly that are unlike its training images: Sakurada and Yairi
    2014, https://doi.org/10.1145/2689746.2689747.
    """
    learner: Any = loaded.learner

    def score(batch: Batch) -> Tensor:
        images, labels = on_device(batch, loaded.device)
        prepared = learner.prepare(images)
        return squared_error(learner.reconstruct(prepared, labels), prepared).cpu()

    return score


def scores_of(
    loaded: LoadedRun, score: ScoreFunction, indices: np.ndarray, seed: int, batch_size: int
) -> Tensor:
    """Scores (N,) of the data's images at `indices`."""
    seed_noise(seed)
    scores = []
    with late_progress("scoring", len(indices)) as advance:
        for batch in batches(loaded, indices, batch_size):
            scores.append(score(batch))
            advance(len(batch.images))
    return torch.cat(scores)


def batches(loaded: LoadedRun, indices: np.ndarray, batch_size: int) -> Iterator[Batch]:
    """The data's images at `indices`, in batches."""
    for start in range(0, len(indices), batch_size):
        yield take(loaded.data.image_set, indices[start : start + batch_size])


def measure_scores(
    loaded: LoadedRun, score: ScoreFunction, settings: NormalScores, batch_size: int
) -> NormalScores | None:
    """Score validation images of classes that are not left out; None without such images.

    `settings` has their number and the seed.
    """
    indices = drawn(loaded.data.indices("validation"), settings.wanted, settings.seed)
    if not len(indices):
        return None
    return replace(settings, scores=scores_of(loaded, score, indices, settings.seed, batch_size))


def stored_scores(loaded: LoadedRun, by: str, samples: int | None) -> NormalScores | None:
    """The scores that `store_scores` wrote for these weights, `by` and `samples`; else None."""
    stored = _read(loaded)
    if by not in stored or stored[by]["samples"] != samples:
        return None
    found = stored[by]
    return NormalScores(torch.tensor(found["scores"]), found["wanted"], found["seed"], samples)


def store_scores(loaded: LoadedRun, by: str, normal: NormalScores) -> None:
    """Write the scores to the run, beside those of other methods."""
    if len(normal.scores) > MOST_KEPT or not normal.scores.isfinite().all():
        return
    entry = {
        "wanted": normal.wanted,
        "seed": normal.seed,
        "samples": normal.samples,
        "scores": normal.scores.tolist(),
    }
    stored = {**_read(loaded), "weights_sha256": _weights(loaded), by: entry}
    write_text(loaded.folder.normal_scores, json.dumps(stored) + "\n")


def store_reconstruction_scores(folder: RunFolder, accelerator: str, batch_size: int) -> None:
    """Score the validation images of a finished run by reconstruction, for `genlab score`.

    A failure is only a warning. Images are read from the cache in batches, because the run may
    still have them in memory.
    """
    try:
        loaded = load_run(str(folder.path), accelerator)
        loaded = replace(loaded, config=loaded.config.replaced(data={"in_memory_gb": 0}))
        settings = NormalScores(torch.empty(0), IMAGES, SEED)
        found = measure_scores(loaded, reconstruction_error(loaded), settings, batch_size)
        if found is not None:
            store_scores(loaded, "reconstruction", found)
    # The run is complete without them, and genlab score measures them if they are missing.
    except Exception as error:
        log.warning("no scores of validation images are stored with the run: %s", error)


def is_unconditional_autoencoder(learner: Learner) -> bool:
    """Whether the learner is an autoencoder without labels as input, so that any file will do."""
    if isinstance(learner, Generates) and learner.condition is not None:
        return False
    return isinstance(learner, Reconstructs) and not isinstance(learner, Translates)


def _read(loaded: LoadedRun) -> dict[str, Any]:
    """The content of the file, {} if there is none or if it is of other weights."""
    file = loaded.folder.normal_scores
    if not file.exists():
        return {}
    stored: dict[str, Any] = read_json(file, CheckpointError, _FILE)
    return stored if stored["weights_sha256"] == _weights(loaded) else {}


def _weights(loaded: LoadedRun) -> str:
    return state_sha256(loaded.learner.exported)
