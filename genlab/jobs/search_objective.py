"""The objective of a search, checked against the metrics that its runs will record."""

import logging

from omegaconf import DictConfig

from genlab.callbacks.listener import DEFAULTS, objective_among
from genlab.config.build import build_data, build_learner, completed
from genlab.config.run import RunConfig
from genlab.config.scale import scaled
from genlab.errors import ConfigError, GenlabError
from genlab.evaluation.reference import WHILE_TRAINING
from genlab.learners.abilities import Generates, Measures
from genlab.learners.measuring import summed
from genlab.training.settings import total_processes
from genlab.words import near_miss

log = logging.getLogger(__name__)

_IMAGES = 2
_SHOWN = 6  # metrics, in a message


def objective_of(composed: DictConfig) -> str:
    """The metric of a search's objective: config.objective, else the default one.

    Raises ConfigError for a metric that such runs do not record, as far as that is known before
    training: metrics of training batches are not checked.
    """
    wanted: str | None = composed.objective
    if wanted is not None and (wanted.startswith("train/") or wanted == "seconds"):
        return wanted
    try:
        names = recorded(composed)
    except GenlabError as error:  # of one point of the search space: trials may differ
        log.warning("the metrics of a run cannot be determined beforehand: %s", error)
        return wanted or DEFAULTS[0]
    found = objective_among(names, wanted)
    if found is None:
        close = near_miss(wanted, names) if wanted else ""
        has = f"; these runs have {', '.join(names[:_SHOWN]) or 'none but train/NAME'}"
        if not composed.evaluate.every_images:
            has += "; evaluate.every_images=N adds scores of a generator's samples, evaluation/NAME"
        what = "there is no such metric" if wanted else "set one"
        raise ConfigError(f"objective={wanted}: {what}{close or has}")
    return found


def recorded(composed: DictConfig) -> list[str]:
    """The metrics of validation/ and evaluation/ that such a run records, measured on two images.

    GenlabError if its data or networks cannot be built.
    """
    config = completed(RunConfig.read(scaled(composed, total_processes(composed.trainer))))
    data, learner = build_data(config), build_learner(config)
    names = []
    if isinstance(learner, Measures):
        sums, _ = summed(learner, data.held_out("validation", _IMAGES, count=_IMAGES))
        names += [f"validation/{name}" for name in sorted(sums)]
    if config.evaluate.every_images and isinstance(learner, Generates):
        names += [f"evaluation/{name}" for name in WHILE_TRAINING]
        labels = data.image_set.classes
        names += [f"evaluation/class_divergence/{label}" for label in labels if len(labels) > 1]
    return names
