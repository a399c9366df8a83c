"""`genlab reconstruct`: held-out images or files, encoded and decoded."""

import logging
from typing import Any

import torch

from genlab.artefacts.grids import beside
from genlab.artefacts.pictures import grid, save_png, to_image
from genlab.data.stream import take
from genlab.errors import ConfigError
from genlab.learners.abilities import Reconstructs, Translates
from genlab.learners.learner import seed_noise
from genlab.opened import Opened, open_run
from genlab.pixels import normalise, to_uint8
from genlab.verbs.files import each, listed, targets
from genlab.verbs.held_out import choose, condition_of
from genlab.verbs.output import named, positive, write_pictures

log = logging.getLogger(__name__)


def run(config: dict[str, Any]) -> None:
    """Read files, or choose images of the split by the seed; reconstruct, write."""
    opened = open_run(config["run"], config["accelerator"])
    learner = opened.require(Reconstructs, "does not reconstruct images: use genlab sample")
    if config["input"] is None:
        _held_out(opened, learner, config)
    else:
        _files(opened, learner, config)


def _files(opened: Opened, learner: Reconstructs, config: dict[str, Any]) -> None:
    """Each file's picture as the model rebuilds it, not corrupted before."""
    if isinstance(learner, Translates):
        raise ConfigError(
            f"run={opened.folder.path}: input= is for autoencoders: use genlab upscale, inpaint or "
            "translate with this model"
        )
    if condition_of(opened):
        raise ConfigError("input=: this model is told labels, which files do not have")
    shape = opened.data.image_set.channels, opened.data.image_set.resolution
    files = listed(config["input"], "input")
    places = targets(
        files, config["input"], config["out"], opened.folder, "reconstructed", config["overwrite"]
    )
    for file, picture in each(files, *shape):
        seed_noise(config["seed"])
        given = normalise(picture[None].to(opened.device))
        made = to_uint8(learner.reconstruct(given, {}))[0].cpu()
        save_png(to_image(made), places[file])
        log.info("wrote %s", places[file])


def _held_out(opened: Opened, learner: Reconstructs, config: dict[str, Any]) -> None:
    count = positive(config["count"], "count")
    batch = take(opened.data.image_set, choose(opened, config["split"], count, config["seed"]))
    batch_size = positive(config["batch_size"], "batch_size")
    seed_noise(config["seed"])
    parts = [
        learner.views(opened.learner.prepare(images), labels)
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
