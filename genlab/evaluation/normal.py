"""How strange a run's own validation images are to it: measured once, and kept in the run.

Scores of other images are set beside these, also where the run's data are gone.
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
from genlab.data.stream import Batch, on_device, take
from genlab.errors import CheckpointError
from genlab.io.files import write_text
from genlab.io.reading import read_json
from genlab.io.schemas import COUNT, FINITE, TEXT, Kind
from genlab.learners import Learner
from genlab.learners.abilities import Generates, Reconstructs, Translates
from genlab.learners.learner import seed_noise
from genlab.metrics import squared_error, state_sha256
from genlab.runs.folder import RunFolder
from genlab.runs.loaded import LoadedRun, load_run

log = logging.getLogger(__name__)

IMAGES = 2000  # of the validation part, as on the page of `genlab score`
SEED = 0
MOST_KEPT = 100_000  # 2 MB of text

ScoreFunction = Callable[[Batch], Tensor]
"""Images uint8 (B, C, H, W) with labels to (B,), the higher the stranger, on the CPU."""

_SAMPLES = Kind("a whole number or null", lambda value: value is None or COUNT.holds(value))
_SCORES = {"seed": COUNT, "wanted": COUNT, "samples": _SAMPLES, "scores": [FINITE]}
_FILE = {"weights_sha256": TEXT, "reconstruction?": _SCORES, "likelihood?": _SCORES}


@dataclass(frozen=True)
class Normal:
    """Scores of validation images.

    Attributes:
        scores: (M,), the higher the stranger.
        wanted: images that were asked for; there may be fewer.
        seed: of their choice, and of codes.
        samples: codes of each, for likelihoods; None for reconstructions.
    """

    scores: Tensor
    wanted: int
    seed: int
    samples: int | None = None


def by_reconstruction(loaded: LoadedRun) -> ScoreFunction:
    """The mean squared error per pixel on [0, 1].

    An autoencoder rebuilds badly what it was not trained on: Sakurada and Yairi 2014,
    https://doi.org/10.1145/2689746.2689747.
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
    """Of the data's images at `indices`, (N,)."""
    seed_noise(seed)
    return torch.cat([score(batch) for batch in batches(loaded, indices, batch_size)])


def batches(loaded: LoadedRun, indices: np.ndarray, batch_size: int) -> Iterator[Batch]:
    """The data's images at `indices`, some at a time."""
    for start in range(0, len(indices), batch_size):
        yield take(loaded.data.image_set, indices[start : start + batch_size])


def measured(
    loaded: LoadedRun, score: ScoreFunction, settings: Normal, batch_size: int
) -> Normal | None:
    """What `score` says of validation images, none of a class that is left out.

    None where there are none. `settings` says how many, and by which seed.
    """
    indices = drawn(loaded.data.indices("validation"), settings.wanted, settings.seed)
    if not len(indices):
        return None
    return replace(settings, scores=scores_of(loaded, score, indices, settings.seed, batch_size))


def kept(loaded: LoadedRun, by: str, samples: int | None) -> Normal | None:
    """What `keep` wrote for these very weights, measured in this way; None where it did not."""
    stored = _read(loaded)
    if by not in stored or stored[by]["samples"] != samples:
        return None
    found = stored[by]
    return Normal(torch.tensor(found["scores"]), found["wanted"], found["seed"], samples)


def keep(loaded: LoadedRun, by: str, normal: Normal) -> None:
    """Write the scores to the run, beside those of other ways to measure."""
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


def keep_reconstructions(folder: RunFolder, accelerator: str, batch_size: int) -> None:
    """Measure how well a finished run reconstructs, for `genlab score`; warn where it fails.

    Images are read from the cache as they are needed, for the run may have them in memory still.
    """
    try:
        loaded = load_run(str(folder.path), accelerator)
        loaded = replace(loaded, config=loaded.config.replaced(data={"in_memory_gb": 0}))
        settings = Normal(torch.empty(0), IMAGES, SEED)
        found = measured(loaded, by_reconstruction(loaded), settings, batch_size)
        if found is not None:
            keep(loaded, "reconstruction", found)
    # The run is whole without them, and genlab score measures them where they are not there.
    except Exception as error:
        log.warning("no scores of validation images are kept with the run: %s", error)


def reconstructs_alone(learner: Learner) -> bool:
    """Whether the learner is an autoencoder that is told no labels, so that it takes any file."""
    told = isinstance(learner, Generates) and learner.condition is not None
    return isinstance(learner, Reconstructs) and not isinstance(learner, Translates) and not told


def _read(loaded: LoadedRun) -> dict[str, Any]:
    """The content of the file, {} where there is none or where it is of other weights."""
    file = loaded.folder.normal_scores
    if not file.exists():
        return {}
    stored: dict[str, Any] = read_json(file, CheckpointError, _FILE)
    return stored if stored["weights_sha256"] == _weights(loaded) else {}


def _weights(loaded: LoadedRun) -> str:
    return state_sha256(loaded.learner.exported)
