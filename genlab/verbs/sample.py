"""`genlab sample`: new pictures from a trained model."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from genlab.artefacts.grids import POINTS, are_points, sheet
from genlab.data.stream import Batch, take
from genlab.errors import ConfigError
from genlab.learners.abilities import Generates
from genlab.opened import Opened, open_run
from genlab.pixels import to_uint8
from genlab.verbs.output import named, positive, write_pictures


def run(config: dict[str, Any]) -> None:
    """Draw latents from the seed, generate, write."""
    count = positive(config["count"], "count")
    opened = open_run(config["run"], config["accelerator"])
    batch_size = positive(config["batch_size"], "batch_size")
    pictures, labels = generate(opened, count, config["seed"], batch_size, config["labels"] or {})
    write_pictures(
        {"images": pictures, **named(labels)},
        lambda: sheet(pictures, reals=real_points(opened)),
        config,
        opened.folder,
        f"samples_seed{config['seed']}_{count}{opened.folder.tag}",
    )


def real_points(opened: Opened) -> torch.Tensor | None:
    """Training points to show generated ones over; None where the data are pictures."""
    image_set = opened.data.image_set
    if not are_points(image_set.images):
        return None
    return take(image_set, opened.data.indices("train")[:POINTS]).images


def generate(
    opened: Opened,
    count: int,
    seed: int,
    batch_size: int,
    labels: Mapping[str, str | int] = MappingProxyType({}),
) -> Batch:
    """`count` pictures, uint8 (count, C, H, W), by latents that depend on the seed alone.

    Of chosen classes, by label name; with the labels that a conditional model was told.
    """
    learner = opened.require(Generates, "cannot make new pictures: choose another run")
    try:
        latents = learner.latents(count, torch.Generator().manual_seed(seed), labels)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    pictures = opened.in_batches(lambda z: to_uint8(learner.generate(z)), latents, batch_size)
    return Batch(pictures, learner.labels_of(latents))
