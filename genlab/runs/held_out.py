"""Images of a run's held-out data, and their latents."""

import logging
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from genlab.data.image_set import drawn
from genlab.errors import ConfigError
from genlab.learners.abilities import Generates
from genlab.networks import Condition
from genlab.runs.loaded import LoadedRun

log = logging.getLogger(__name__)


def positions(loaded: LoadedRun, split: str) -> np.ndarray:
    """Positions of the split's images, sorted; ConfigError for an empty split."""
    indices = loaded.data.indices(split)
    if not len(indices):
        raise ConfigError(f"split={split} has no images of this run: choose another split")
    return indices


def choose(loaded: LoadedRun, split: str, count: int, seed: int) -> np.ndarray:
    """`count` positions of the split drawn with the seed, sorted; all if there are fewer."""
    indices = positions(loaded, split)
    if count > len(indices):
        log.info("the %s part has %s images, not %s", split, f"{len(indices):,}", f"{count:,}")
    return drawn(indices, count, seed)


def condition_of(loaded: LoadedRun) -> Condition | None:
    """The condition of a conditional model, which maps labels to the last part of its latents."""
    learner = loaded.learner
    return learner.condition if isinstance(learner, Generates) else None


def latents_of(loaded: LoadedRun, values: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
    """Latents for `generate`: codes (B, n), with labels (B,) appended for a conditional model."""
    condition = condition_of(loaded)
    return values if condition is None else torch.cat([values, condition(labels)], 1)
