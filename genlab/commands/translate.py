"""`genlab translate`: images in files, translated as a model was trained to."""

import logging
from functools import partial

import torch
from torch import Tensor

from genlab.commands.inputs import each, listed, read, targets
from genlab.commands.loading import load_run_for
from genlab.drawing.image_grid import grid, save_png, to_image
from genlab.drawing.sheets import side_by_side
from genlab.errors import ConfigError
from genlab.io.files import may_write
from genlab.learners.abilities import Completes, Translates
from genlab.learners.learner import seed_noise
from genlab.pixels import normalise, to_uint8
from genlab.settings.translate import Translate
from genlab.words import one_of

log = logging.getLogger(__name__)

SHOWN = 32  # pairs on the sheet


def run(settings: Translate) -> None:
    """Read images, translate, write."""
    loaded = load_run_for(settings)
    learner = loaded.require(Translates, "does not translate: train model=pix2pix or cyclegan")
    data = loaded.config.data
    channels = data.channels
    view = learner.view if isinstance(learner, Completes) else None
    if view is not None and view.command != "translate":
        raise ConfigError(f"run={loaded.folder.path}: use genlab {view.command} with this model")
    if settings.derive and view is None:
        raise ConfigError("derive=true: this model takes images as they are: leave it out")
    direction = settings.direction
    if direction is None and len(learner.directions) > 1:
        raise ConfigError(f"say which direction={' or direction='.join(learner.directions)}")
    direction = direction or learner.directions[0]
    one_of("direction", direction, learner.directions)
    if view is not None and not settings.derive:
        channels = view.channels(channels)
    files = listed(settings.image, "image", settings.out)
    places = targets(
        files,
        settings.image,
        settings.out,
        loaded.folder,
        f"translated/{direction}",
        settings.overwrite,
    )
    resolution = None if settings.whole else data.resolution
    shown: list[Tensor] = []
    load = partial(
        read,
        channels=channels,
        resolution=resolution,
        white_level=data.white_level,
    )
    for file, image in each(files, load, "translating"):
        seed_noise(settings.seed)
        given = normalise(image[None].to(loaded.device))
        if view is not None and settings.derive:
            given = view(given)
        with torch.inference_mode():
            output = to_uint8(learner.translate(given, direction)).cpu()
        save_png(to_image(output[0]), places[file])
        log.info("wrote %s", places[file])
        if resolution and len(shown) < SHOWN:
            before = to_uint8(given).cpu().expand(-1, output.shape[1], -1, -1)
            shown.append(side_by_side(before, output))
    if shown and may_write(loaded.folder.path):
        sheet = loaded.folder.path / f"translated_{direction}.png"
        save_png(
            grid(torch.cat(shown), min(8, 2 * len(shown)), f"before, after: {direction}"), sheet
        )
        log.info("wrote %s", sheet)
