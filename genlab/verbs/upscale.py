"""`genlab upscale`: pictures of any size, enlarged by a network trained with model=srgan."""

import logging
import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

from genlab.artefacts.pictures import save_png, to_image
from genlab.data.progress import progress
from genlab.errors import ConfigError
from genlab.learners import Translation
from genlab.objectives.views import Shrunk
from genlab.opened import Opened, open_run
from genlab.pixels import normalise, to_uint8
from genlab.verbs.files import each, listed, read, targets
from genlab.verbs.output import positive
from genlab.verbs.tiles import in_tiles

log = logging.getLogger(__name__)

BLIND = 16  # pixels around a tile where a network depends on all of a picture


def run(config: dict[str, Any]) -> None:
    """Read, enlarge tile by tile, write."""
    side = positive(config["tile"], "tile")
    opened = open_run(config["run"], config["accelerator"])
    learner = opened.learner
    if not isinstance(learner, Translation) or not isinstance(learner.view, Shrunk):
        raise ConfigError(
            f"run={opened.folder.path}: this model does not enlarge pictures: train one with "
            "model=srgan"
        )
    files = listed(config["image"], "image", config["out"])
    places = targets(
        files, config["image"], config["out"], opened.folder, "upscaled", config["overwrite"]
    )
    for file, picture in each(files, partial(read, channels=learner.channels)):
        save_png(to_image(_enlarged(opened, learner, picture, side, file.name)), places[file])
        height, width = (size * learner.view.scale for size in picture.shape[-2:])
        log.info("wrote %s (%d x %d)", places[file], width, height)


def _enlarged(
    opened: Opened, learner: Translation, picture: Tensor, side: int, name: str
) -> Tensor:
    """Uint8 (C, h, w) to (C, scale * h, scale * w)."""
    network: Any = learner.exported
    margin = getattr(network, "radius", None)
    if margin is None:
        log.warning("this network's pictures depend on all of a tile: seams may show")
        margin = BLIND

    def enlarge(part: Tensor) -> Tensor:
        given = normalise(part.to(opened.device))
        return to_uint8(learner.translate(given, learner.directions[0]))

    count = math.prod(math.ceil(size / side) for size in picture.shape[-2:])
    with torch.inference_mode(), progress(f"enlarging {name}", count, "tiles") as advance:
        return in_tiles(enlarge, picture, learner.view.scale, side, margin, advance)
