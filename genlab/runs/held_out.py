"""Images of a run's data, and the latents that stand for them."""

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
    """Positions of the split's images, sorted; ConfigError where it holds none."""
    indices = loaded.data.indices(split)
    if not len(indices):
        raise ConfigError(f"split={split} holds no images of this run: choose another split")
    return indices


def choose(loaded: LoadedRun, split: str, count: int, seed: int) -> np.ndarray:
    """`count` positions in the split drawn by the seed, sorted; all where there are fewer."""
    indices = positions(loaded, split)
    if count > len(indices):
        log.info("the %s part has %s images, not %s", split, f"{len(indices):,}", f"{count:,}")
    return drawn(indices, count, seed)


def condition_of(loaded: LoadedRun) -> Condition | None:
    """What turns labels into the last numbers of a conditional model's latents."""
    learner = loaded.learner
    return learner.condition if isinstance(learner, Generates) else None


def latents_of(loaded: LoadedRun, values: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
    """Codes (B, n) as `generate` takes them: followed by labels (B,), where it is told those."""
    condition = condition_of(loaded)
    return values if condition is None else torch.cat([values, condition(labels)], 1)
