"""`genlab reconstruct`: held-out images, encoded and decoded."""

from typing import Any

import numpy as np
import torch

from genlab.artefacts.grids import beside
from genlab.artefacts.pictures import grid, to_uint8
from genlab.data.stream import take
from genlab.learners.abilities import Reconstructs
from genlab.opened import open_run
from genlab.verbs.output import positive, write_pictures


def run(config: dict[str, Any]) -> None:
    """Choose images of the split by the seed, reconstruct, write."""
    count = positive(config["count"], "count")
    opened = open_run(config["run"], config["accelerator"])
    learner = opened.require(Reconstructs, "does not reconstruct images: use genlab sample")
    indices = opened.data.indices(config["split"])
    chosen = np.random.default_rng(config["seed"]).permutation(indices)[:count]
    batch = take(opened.data.image_set, np.sort(chosen))
    pictures = opened.in_batches(
        lambda images: to_uint8(learner.reconstruct(learner.prepare(images))),
        batch.images,
        positive(config["batch_size"], "batch_size"),
    )
    columns = 2 * max(1, round(len(pictures) ** 0.5 / 2**0.5))
    write_pictures(
        {"images": pictures, "originals": batch.images, **_labels(batch.labels)},
        lambda: grid(beside(batch.images, pictures), columns),
        config,
        opened.folder,
        f"reconstructions_{config['split']}_seed{config['seed']}_{len(pictures)}",
    )


def _labels(labels: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The class label under `labels`, other named labels under `labels/NAME`."""
    return {("labels" if n == "label" else f"labels/{n}"): v for n, v in labels.items()}
