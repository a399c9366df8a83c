"""`genlab reconstruct`: encode and decode held-out images, or images in files."""

import logging
import os
from pathlib import Path

import torch

from genlab.commands import inputs
from genlab.commands.loading import IMAGE, load_run_for
from genlab.commands.outputs import named, place_of, write_images
from genlab.data.stream import take
from genlab.drawing.image_grid import grid, save_png, to_image
from genlab.drawing.sheets import side_by_side
from genlab.errors import ConfigError
from genlab.learners.abilities import Reconstructs, Translates
from genlab.learners.learner import seed_noise
from genlab.pixels import to_uint8
from genlab.runs.held_out import choose, condition_of
from genlab.runs.loaded import LoadedRun
from genlab.settings.reconstruct import Reconstruct

log = logging.getLogger(__name__)


def run(settings: Reconstruct) -> None:
    """Reconstruct images in files, or images of the split; write."""
    count = settings.count
    batch_size = settings.batch_size
    loaded = load_run_for(settings, IMAGE)
    learner = loaded.require(Reconstructs, "does not reconstruct images: use genlab sample")
    if settings.image is None:
        _held_out(loaded, learner, count, batch_size, settings)
    else:
        _files(loaded, learner, settings)


def _files(loaded: LoadedRun, learner: Reconstructs, settings: Reconstruct) -> None:
    """Write one PNG for each file, whose image is encoded without the run's corruption."""
    if isinstance(learner, Translates):
        raise ConfigError(
            f"run={loaded.folder.path}: image= is for autoencoders: use genlab upscale, inpaint or "
            "translate with this model"
        )
    if condition_of(loaded):
        raise ConfigError(
            "image=: this model needs labels, which image files do not have: leave it out"
        )
    given, batch_size = settings.image, settings.batch_size
    paths = inputs.listed(given, "image", settings.out)
    targets = inputs.targets(
        paths, given, settings.out, loaded.folder, "reconstructed", settings.overwrite
    )
    written = 0
    for some, images in inputs.batches(paths, loaded.config.data, batch_size):
        output = loaded.in_batches(
            lambda part: learner.reconstruct(loaded.learner.prepare(part), {}), images, batch_size
        )
        for path, image in zip(some, to_uint8(output), strict=True):
            save_png(to_image(image), targets[path])
        written += len(some)
    # The common folder of several files, or a single file itself.
    log.info("wrote %s (%d of %d)", Path(os.path.commonpath(targets.values())), written, len(paths))


def _held_out(
    loaded: LoadedRun, learner: Reconstructs, count: int, batch_size: int, settings: Reconstruct
) -> None:
    """Reconstruct images of the split that are drawn with the seed."""
    indices = choose(loaded, settings.split, count, settings.seed)
    name = f"reconstructions_{settings.split}_seed{settings.seed}_{len(indices)}"
    path = place_of(settings, loaded.folder, name)
    batch = take(loaded.data.image_set, indices)
    seed_noise(settings.seed)
    parts = [
        learner.views(loaded.learner.prepare(images), labels)
        for images, labels in loaded.batches(batch, batch_size)
    ]
    views = {name: torch.cat([to_uint8(part[name]).cpu() for part in parts]) for name in parts[0]}
    original, *between, output = views
    columns = len(views) * max(1, round((len(batch.images) / len(views)) ** 0.5))
    arrays = {"images": views[output], "originals": views[original]}
    write_images(
        {**arrays, **{name: views[name] for name in between}, **named(batch.labels)},
        lambda: grid(side_by_side(*views.values()), columns, ", ".join(views)),
        settings.format,
        path,
    )
