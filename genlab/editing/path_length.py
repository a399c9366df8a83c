"""Path lengths and separability of a model with styles."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlab.editing.attributes import Judge
from genlab.editing.space import Space, space_of
from genlab.latent import linear, spherical
from genlab.learners.abilities import Generates
from genlab.metrics.paths import path_length, separability
from genlab.runs.loaded import LoadedRun

SEPARATED = 10  # pictures that separability is measured on, for each path


def path_scores(
    loaded: LoadedRun, judge: Judge, count: int, seed: int, batch_size: int
) -> dict[str, float]:
    """Of `count` paths in z (great circles) and in w (straight lines), by latents of the seed.

    Both ends of a path have the same labels where a model is told some. Full lengths are taken at
    a uniform place of each path, /z_end and /w_end at its start. Features are those below the
    classifier's heads, pictures whole, their noise fixed. Separability is over binary attributes
    (see `binary`), of ten pictures for each path.
    """
    learner = loaded.require(Generates, "makes no pictures")
    generator = torch.Generator().manual_seed(seed)
    starts, ends = (learner.latents(count, generator, {}) for _ in range(2))
    if (condition := learner.condition) is not None:
        ends[:, -condition.width :] = starts[:, -condition.width :]
    places = {"": torch.rand(count, generator=generator), "_end": torch.zeros(count)}
    scores: dict[str, float] = {}
    for space, path in (
        (space_of(loaded, styled=False), spherical),
        (space_of(loaded), linear),
    ):
        start, end = (space.codes(latents)[:, 0] for latents in (starts, ends))
        see = _Seen(space, judge, start, batch_size)
        for name, positions in places.items():
            scores[f"path_length/{space.name}{name}"] = path_length(
                space.free(start), space.free(end), positions, path, see
            )
        scores[f"separability/{space.name}"] = _separability(
            space, judge, SEPARATED * count, seed, batch_size
        )
    return scores


@dataclass(frozen=True)
class _Seen:
    """Features (N, D) of pictures of free numbers (N, m), with the labels of `codes` (N, n)."""

    space: Space
    judge: Judge
    codes: Tensor
    batch_size: int

    @torch.no_grad()
    def __call__(self, free: Tensor) -> Tensor:
        network: Any = self.judge.network.network
        whole = torch.cat([free, self.codes[:, free.shape[1] :]], 1)[:, None]
        return self.space.loaded.in_batches(
            lambda part: network.features(self.space.generate(part)), whole, self.batch_size
        )


def _separability(space: Space, judge: Judge, count: int, seed: int, batch_size: int) -> float:
    codes = space.draw(count, seed)
    network = judge.network
    probabilities = network.classes(network(space.pictures(codes, batch_size)))
    held = [each.probability(probabilities) for each in judge.others()]
    return separability(space.free(codes)[:, 0], torch.stack(held, 1))
