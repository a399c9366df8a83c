"""New images of a loaded run, from latents that depend on the seed alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from genlab import ranks
from genlab.data.stream import Batch
from genlab.errors import ConfigError
from genlab.latent.truncation import truncated_normal
from genlab.learners.abilities import Generates
from genlab.networks import Chosen
from genlab.networks.styles import truncated
from genlab.pixels import to_uint8
from genlab.runs.loaded import LoadedRun
from genlab.settings.kinds import seeds_of
from genlab.settings.sample import Sample


def generate(
    loaded: LoadedRun,
    count: int,
    seed: int,
    batch_size: int,
    labels: Chosen = MappingProxyType({}),
) -> Batch:
    """New images, uint8 (count, C, H, W), and the labels that they are conditioned on.

    Their latents depend on the seed alone. Every process generates its part of them.

    Args:
        labels: chosen classes, by label name.
    """
    learner = generator_of(loaded)
    latents = latents_for(learner, count, seed, labels)
    images = ranks.gather(decoded(loaded, ranks.shard(latents), batch_size))
    return Batch(images, learner.labels_of(latents))


def generator_of(loaded: LoadedRun) -> Generates:
    """The learner of a run that generates images; ConfigError for another."""
    learner: Generates = loaded.require(Generates, "cannot make new images: choose another run")
    return learner


def latents_for(learner: Generates, count: int, seed: int, labels: Chosen) -> Tensor:
    """Latents (count, n) drawn with a seed, of the chosen classes."""
    with labels_named():
        return learner.latents(count, torch.Generator().manual_seed(seed), labels)


def latents_of_seed(learner: Generates, seed: int, labels: Chosen) -> Tensor:
    """The latent (1, width) of a single seed, of chosen classes by label name.

    The first label of a conditional model runs through its K classes as seeds go up: seed s shows
    class s mod K, independently of other seeds. ValueError for unknown labels.
    """
    chosen = dict(labels)
    if learner.condition is not None:
        name, kinds = next(iter(learner.condition.classes.items()))
        chosen.setdefault(name, torch.tensor([seed % len(kinds)]))
    return learner.latents(1, torch.Generator().manual_seed(seed), chosen)


@contextmanager
def labels_named() -> Iterator[None]:
    """Turn the ValueError for unknown labels into a ConfigError."""
    try:
        yield
    except ValueError as error:
        raise ConfigError(str(error)) from error


def decoded(loaded: LoadedRun, latents: Tensor, batch_size: int) -> Tensor:
    """Images uint8 (B, C, H, W) of latents (B, n)."""
    learner = generator_of(loaded)
    return loaded.in_batches(lambda z: to_uint8(learner.generate(z)), latents, batch_size)


def drawn_images(loaded: LoadedRun, settings: Sample) -> tuple[Tensor, Tensor]:
    """Latents (N, n), and their images uint8 (N, C, H, W).

    One for each of the seeds, or `count` of a single seed; with several truncations each latent is
    repeated for every one of them. ConfigError for labels or truncations that the model does not
    allow.
    """
    learner = generator_of(loaded)
    truncations = listed(settings.truncation)
    if truncations:
        _check(loaded, truncations)
    latents = _latents(learner, settings)
    if not truncations:
        return latents, decoded(loaded, latents, settings.batch_size)
    views = [_truncated(loaded, latents, number, settings) for number in truncations]
    images = torch.stack(views, 1).flatten(0, 1)
    return latents.repeat_interleave(len(truncations), 0), images


def listed(given: Any) -> list[Any]:
    """The values of a setting that may be one value, a list or null."""
    return given if isinstance(given, list) else [] if given is None else [given]


def _latents(learner: Generates, settings: Sample) -> Tensor:
    """Latents (N, n): one for each of the seeds, or `count` of a single seed."""
    labels, seeds = settings.labels or {}, seeds_of(settings.seeds)
    if not seeds:
        return latents_for(learner, settings.count, settings.seed, labels)
    with labels_named():
        return torch.cat([latents_of_seed(learner, seed, labels) for seed in seeds])


def _check(loaded: LoadedRun, truncations: Sequence[float]) -> None:
    """Raise ConfigError for truncations that the model's styles or latents do not allow."""
    learner = generator_of(loaded)
    if learner.styles is not None:
        if min(truncations) < 0:
            raise ConfigError(f"truncation={min(truncations)} must be at least 0")
        return
    if min(truncations) <= 0:
        raise ConfigError(
            f"truncation={min(truncations)} must be more than 0 for a model without styles"
        )
    drawn = _noise(learner, learner.latents(2, torch.Generator().manual_seed(0), {}))
    normal = torch.randn(drawn.shape, generator=torch.Generator().manual_seed(0))
    if not torch.equal(drawn, normal):
        raise ConfigError(
            f"run={loaded.folder.path}: truncation is for codes from N(0, I), which this model "
            "does not use: leave truncation out, or choose the run of a GAN or a VAE"
        )


def _noise(learner: Generates, latents: Tensor) -> Tensor:
    """Latents (B, n) without the labels at their end."""
    labels = learner.condition.width if learner.condition else 0
    return latents[:, : latents.shape[1] - labels]


def _truncated(loaded: LoadedRun, latents: Tensor, truncation: float, settings: Sample) -> Tensor:
    """Images uint8 of latents (B, n) with truncated styles, or else truncated noise."""
    learner = generator_of(loaded)
    styles, layers, batch_size = learner.styles, settings.truncation_layers, settings.batch_size
    if styles is None:
        noise = _noise(learner, latents)
        labels = latents[:, noise.shape[1] :]
        nearer = torch.cat([truncated_normal(noise, truncation), labels], 1)
        return decoded(loaded, nearer, batch_size)

    def images(z: Tensor) -> Tensor:
        return to_uint8(styles.images(truncated(styles.of(z), styles.mean, truncation, layers)))

    return loaded.in_batches(images, latents, batch_size)
