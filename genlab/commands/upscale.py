"""`genlab upscale`: pictures of any size, enlarged by a network trained with model=srgan."""

import logging
import math
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from genlab.commands.inputs import each, listed, targets
from genlab.commands.opening import open_asked
from genlab.commands.originals import has_colour, original
from genlab.data.pixels import WHITE_LEVEL, whole
from genlab.data.progress import progress
from genlab.drawing.pictures import save_png, to_image
from genlab.errors import ConfigError
from genlab.learners import Translation
from genlab.networks.tiling import in_tiles
from genlab.objectives.views import Shrunk
from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import Opened
from genlab.settings.upscale import Upscale
from genlab.words import readable, some

log = logging.getLogger(__name__)

BLIND = 16  # pixels around a tile where a network depends on all of a picture


def run(settings: Upscale) -> None:
    """Read, enlarge tile by tile, write."""
    side = settings.tile
    opened = open_asked(settings)
    learner = opened.learner
    if not isinstance(learner, Translation) or not isinstance(learner.view, Shrunk):
        raise ConfigError(
            f"run={opened.folder.path}: this model does not enlarge pictures: train one with "
            "model=srgan"
        )
    files = listed(settings.image, "image", settings.out)
    places = targets(
        files, settings.image, settings.out, opened.folder, "upscaled", settings.overwrite
    )
    load = partial(_apart, white_level=opened.config["data"].get("white_level", WHITE_LEVEL))
    grey, flat = [], []
    for file, (image, colours) in each(files, partial(load, channels=learner.channels)):
        made = to_image(_enlarged(opened, learner, colours, side, readable(file.name)))
        if image.mode in ("LA", "RGBA"):
            alpha = image.getchannel("A").resize(made.size, Image.Resampling.BICUBIC)
            made.putalpha(alpha)
        save_png(made, places[file])
        log.info("wrote %s (%d x %d)", places[file], *made.size)
        if learner.channels == 1 and has_colour(image):
            grey.append(readable(file.name))
        if image.mode == "I;16":
            flat.append(readable(file.name))
    if grey:
        log.warning("colour images are grey now, as this model is: %s", some(grey))
    if flat:
        log.warning("images of 16 bits have 8 now: %s", some(flat))


def _apart(path: Path, channels: int, white_level: int) -> tuple[Image.Image, Tensor]:
    """The original, and its colours uint8 (C, H, W) without transparency."""
    image = original(path)
    opaque = image
    if image.mode in ("LA", "RGBA"):
        opaque = image.convert(image.mode.removesuffix("A"))
    return image, torch.from_numpy(whole(opaque, channels, white_level).copy())


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
