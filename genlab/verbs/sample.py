"""`genlab sample`: new pictures from a trained model."""

from typing import Any

import torch

from genlab.artefacts.pictures import grid, to_uint8
from genlab.learners.abilities import Generates
from genlab.opened import Opened, open_run
from genlab.verbs.output import positive, write_pictures


def run(config: dict[str, Any]) -> None:
    """Draw latents from the seed, generate, write."""
    count = positive(config["count"], "count")
    opened = open_run(config["run"], config["accelerator"])
    pictures = generate(opened, count, config["seed"], positive(config["batch_size"], "batch_size"))
    write_pictures(
        {"images": pictures},
        lambda: grid(pictures),
        config,
        opened.folder,
        f"samples_seed{config['seed']}_{count}",
    )


def generate(opened: Opened, count: int, seed: int, batch_size: int) -> torch.Tensor:
    """`count` pictures, uint8 (count, C, H, W), by latents that depend on the seed alone."""
    learner = opened.require(Generates, "cannot make new pictures: choose another run")
    latents = learner.latents(count, torch.Generator().manual_seed(seed))
    return opened.in_batches(lambda z: to_uint8(learner.generate(z)), latents, batch_size)
