"""`genlab reconstruct`: held-out images, encoded and decoded."""

from typing import Any

import torch

from genlab.artefacts.grids import beside
from genlab.artefacts.pictures import grid
from genlab.data.stream import take
from genlab.learners.abilities import Reconstructs
from genlab.learners.learner import seed_noise
from genlab.opened import open_run
from genlab.pixels import to_uint8
from genlab.verbs.held_out import choose
from genlab.verbs.output import named, positive, write_pictures


def run(config: dict[str, Any]) -> None:
    """Choose images of the split by the seed, reconstruct, write."""
    count = positive(config["count"], "count")
    opened = open_run(config["run"], config["accelerator"])
    learner = opened.require(Reconstructs, "does not reconstruct images: use genlab sample")
    batch = take(opened.data.image_set, choose(opened, config["split"], count, config["seed"]))
    batch_size = positive(config["batch_size"], "batch_size")
    seed_noise(config["seed"])
    parts = [
        learner.views(learner.prepare(images), labels)
        for images, labels in opened.batches(batch, batch_size)
    ]
    views = {name: torch.cat([to_uint8(part[name]).cpu() for part in parts]) for name in parts[0]}
    original, *between, made = views
    columns = len(views) * max(1, round((len(batch.images) / len(views)) ** 0.5))
    arrays = {"images": views[made], "originals": views[original]}
    write_pictures(
        {**arrays, **{name: views[name] for name in between}, **named(batch.labels)},
        lambda: grid(beside(*views.values()), columns, ", ".join(views)),
        config,
        opened.folder,
        f"reconstructions_{config['split']}_seed{config['seed']}_{len(batch.images)}",
    )
