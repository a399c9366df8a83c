"""`genlab upscale`: images of any size, enlarged by a network trained with model=srgan."""

import logging
import math
import os
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from genlab.commands.inputs import each, listed, targets
from genlab.commands.loading import load_run_for
from genlab.commands.originals import has_colour, original
from genlab.data.pixels import whole
from genlab.data.progress import progress
from genlab.devices import forget_sizes
from genlab.drawing.image_grid import save_png, to_image
from genlab.errors import ConfigError
from genlab.learners.abilities import Completes
from genlab.networks.tiling import in_tiles
from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import LoadedRun
from genlab.settings.upscale import Upscale
from genlab.words import readable, some

log = logging.getLogger(__name__)

BLIND = 16  # pixels around a tile, for networks whose output depends on the whole image


def run(settings: Upscale) -> None:
    """Read images, enlarge them tile by tile, write."""
    side = settings.tile
    forget_sizes()
    loaded = load_run_for(settings)
    learner = loaded.learner
    if not isinstance(learner, Completes) or learner.view.command != "upscale":
        raise ConfigError(
            f"run={loaded.folder.path}: this model does not enlarge images: train one with "
            "model=srgan"
        )
    files = listed(settings.image, "image", settings.out)
    places = targets(
        files, settings.image, settings.out, loaded.folder, "upscaled", settings.overwrite
    )
    white_level = loaded.config.data.white_level
    load = partial(_apart, channels=learner.channels, white_level=white_level)
    grey, flat = [], []
    margin = _margin(loaded.learner.exported)
    written: list[Path] = []
    for file, (image, colours) in each(files, load, "enlarging"):
        output = to_image(_enlarged(loaded, learner, colours, side, margin, len(files) == 1))
        if image.mode in ("LA", "RGBA"):
            alpha = image.getchannel("A").resize(output.size, Image.Resampling.BICUBIC)
            output.putalpha(alpha)
        save_png(output, places[file])
        written.append(places[file])
        if learner.channels == 1 and has_colour(image):
            grey.append(readable(file.name))
        if image.mode == "I;16":
            flat.append(readable(file.name))
    log.info("wrote %s (%d of %d)", os.path.commonpath(written), len(written), len(files))
    if grey:
        log.warning("colour images are grey now, because the model is grey: %s", some(grey))
    if flat:
        log.warning("16-bit images are 8-bit now: %s", some(flat))


def _apart(path: Path, channels: int, white_level: int) -> tuple[Image.Image, Tensor]:
    """The original image, and its colours uint8 (C, H, W) without transparency."""
    image = original(path)
    opaque = image
    if image.mode in ("LA", "RGBA"):
        opaque = image.convert(image.mode.removesuffix("A"))
    return image, torch.from_numpy(whole(opaque, channels, white_level).copy())


def _margin(network: nn.Module) -> int:
    """The distance up to which an output pixel depends on others, in pixels of the input."""
    margin: int | None = getattr(network, "radius", None)
    if margin is None:
        log.warning("each pixel of this network depends on its whole tile: seams may be visible")
        return BLIND
    return margin


def _enlarged(
    loaded: LoadedRun, learner: Completes, image: Tensor, side: int, margin: int, alone: bool
) -> Tensor:
    """An image uint8 (C, h, w) enlarged to (C, scale * h, scale * w); a single one shows a bar."""

    def enlarge(part: Tensor) -> Tensor:
        given = normalise(part.to(loaded.device))
        return to_uint8(learner.translate(given, learner.directions[0]))

    count = math.prod(math.ceil(size / side) for size in image.shape[-2:])
    bar = progress("enlarging", count, "tile") if alone else nullcontext(lambda _: None)
    with torch.inference_mode(), bar as advance:
        return in_tiles(enlarge, image, learner.view.scale, side, margin, advance)
