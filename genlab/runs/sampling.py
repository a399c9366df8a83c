"""New images from an opened run, by latents that depend on a seed alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import torch
from torch import Tensor

from genlab import ranks
from genlab.data.stream import Batch
from genlab.errors import ConfigError
from genlab.learners.abilities import Generates
from genlab.networks import Chosen
from genlab.pixels import to_uint8
from genlab.runs.loaded import Opened


def generate(
    opened: Opened,
    count: int,
    seed: int,
    batch_size: int,
    labels: Chosen = MappingProxyType({}),
) -> Batch:
    """`count` pictures, uint8 (count, C, H, W), by latents that depend on the seed alone.

    Of chosen classes, by label name; with the labels that a conditional model was told. Processes
    that work together each make a part of them.
    """
    learner = generator_of(opened)
    latents = latents_for(learner, count, seed, labels)
    pictures = ranks.joined(decoded(opened, ranks.own(latents), batch_size))
    return Batch(pictures, learner.labels_of(latents))


def generator_of(opened: Opened) -> Generates:
    """The learner of a run that makes new images; ConfigError for another."""
    learner: Generates = opened.require(Generates, "cannot make new pictures: choose another run")
    return learner


def latents_for(learner: Generates, count: int, seed: int, labels: Chosen) -> Tensor:
    """Latents (count, n) by a seed, of the chosen classes."""
    with labels_named():
        return learner.latents(count, torch.Generator().manual_seed(seed), labels)


@contextmanager
def labels_named() -> Iterator[None]:
    """Labels that the model does not have are an error of the setting."""
    try:
        yield
    except ValueError as error:
        raise ConfigError(str(error)) from error


def decoded(opened: Opened, latents: Tensor, batch_size: int) -> Tensor:
    """Images uint8 (B, C, H, W) of latents (B, n)."""
    learner = generator_of(opened)
    return opened.in_batches(lambda z: to_uint8(learner.generate(z)), latents, batch_size)
