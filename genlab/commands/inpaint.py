"""`genlab inpaint`: fill holes in images; all other pixels stay as they are."""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.commands.inputs import each, listed, names_of, read, reader, targets
from genlab.commands.loading import load_run_for
from genlab.commands.originals import has_colour, loses_bits, original, pasted
from genlab.commands.user_paths import several
from genlab.drawing.image_grid import save_png
from genlab.editing.inversion import Inversion
from genlab.editing.space import space_of
from genlab.errors import ConfigError, DataError
from genlab.learners.abilities import Completes, Generates
from genlab.objectives.views import Holes
from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import LoadedRun
from genlab.settings.inpaint import Inpaint
from genlab.words import readable, some

log = logging.getLogger(__name__)

USUAL = 0.25  # share of the window that is a hole, for models that were not trained on holes

Fill = Callable[[Tensor, Tensor], Tensor]
"""Images (1, C, R, R) in [-1, 1] and holes (1, 1, R, R) of 0 and 1 to filled images."""


class Window(NamedTuple):
    """A square part of an image."""

    top: int
    left: int
    side: int

    def of(self, image: Tensor) -> Tensor:
        """The part (..., side, side) of an image (..., H, W)."""
        rows = slice(self.top, self.top + self.side)
        return image[..., rows, self.left : self.left + self.side]


def run(settings: Inpaint) -> None:
    """Read images and masks, fill, write."""
    loaded = load_run_for(settings)
    fill, share = _filler(loaded, settings)
    files = listed(settings.image, "image", settings.out)
    masks = _masks(files, settings.image, settings.mask)
    places = targets(
        files, settings.image, settings.out, loaded.folder, "inpainted", settings.overwrite
    )
    data = loaded.config.data
    read_whole = reader(data, full_size=True)

    def load(file: Path) -> tuple[Tensor, Tensor, Window]:
        image = read_whole(file)
        holes = _holes(masks[file], image.shape[-2:])
        return image, holes, window_of(holes, share, data.resolution)

    grey, shallow = [], []
    for file, (image, holes, window) in each(files, load, "filling"):
        output = filled(image, holes, window, data.resolution, fill)
        file_image = original(file)
        save_png(pasted(file_image, output, holes, data.white_level), places[file])
        log.info("wrote %s: %d pixels filled", places[file], int(holes.sum()))
        if data.channels == 1 and has_colour(file_image):
            grey.append(readable(file.name))
        if loses_bits(file):
            shallow.append(readable(file.name))
    if shallow:
        log.warning("16-bit colours are 8-bit now: %s", some(shallow))
    if grey:
        log.warning(
            "colour images were filled with grey, because the model is grey: %s", some(grey)
        )


def _filler(loaded: LoadedRun, settings: Inpaint) -> tuple[Fill, float]:
    """The function that fills holes, and the share of a window that it expects to be a hole."""
    learner, method = loaded.learner, settings.method
    if method != "projection" and isinstance(learner, Completes):
        translator, view = learner, learner.view
        if isinstance(view, Holes):

            def fill(images: Tensor, holes: Tensor) -> Tensor:
                given = Holes.given(images, holes).to(loaded.device)
                return translator.translate(given, translator.directions[0])

            return fill, view.share
    if method == "translator":
        raise ConfigError(
            f"run={loaded.folder.path}: this model was not trained to fill holes: train "
            "model=context_encoder, or set method=projection for a generator"
        )
    loaded.require(Generates, "neither fills holes nor makes images: train model=context_encoder")
    space = space_of(loaded)

    def project(images: Tensor, holes: Tensor) -> Tensor:
        known = (1 - holes).to(loaded.device)
        _, ways = Inversion(space, space.layers, None, settings, known).invert(to_uint8(images))
        return normalise(ways[:, -1])

    return project, USUAL


def filled(image: Tensor, holes: Tensor, window: Window, resolution: int, fill: Fill) -> Tensor:
    """The image uint8 (C, H, W), with pixels by `fill` of a window where holes (H, W) are 1."""
    part = normalise(window.of(image)[None])
    inside = window.of(holes)[None, None].float()
    # A pixel of the model's image is known only if all pixels that it averages are.
    small = _resized(part * (1 - inside), resolution)
    known = _resized(1 - inside, resolution)
    small = torch.where(known > 0, small / known.clamp(min=1e-3), small).clamp(-1, 1)
    unknown = (known < 1 - 1e-3).float()
    output = _resized(fill(small, unknown).cpu().float(), window.side)
    result = image.clone()
    target = window.of(result)
    target[:] = torch.where(inside[0] > 0, to_uint8(output[0]), target)
    return result


def window_of(holes: Tensor, share: float, resolution: int) -> Window:
    """The square around holes (H, W) of which they are about the share that a model expects.

    If the holes are not much smaller than that, the square is as large as the image allows, because
    models are trained on whole images.

    Raises DataError if there are no holes, or if they do not fit into a square.
    """
    height, width = holes.shape
    places = holes.nonzero()
    if not len(places):
        raise DataError("the mask has no white pixels, which mark what to fill")
    low, high = places.amin(0), places.amax(0) + 1
    extent = int((high - low).max())
    whole, usual = min(height, width), math.sqrt(share)
    side = min(max(math.ceil(extent / usual), resolution), whole)
    if extent >= usual / 2 * whole:
        side = whole
    if extent > side:
        raise DataError(
            f"the holes span {extent} pixels, more than the image's shorter side of {whole}: "
            "fill them in several steps"
        )
    centre = (low + high) // 2
    top, left = (
        int(min(max(int(middle) - side // 2, 0), size - side))
        for middle, size in zip(centre, (height, width), strict=True)
    )
    # The centre of far-apart holes may lie such that the clamped window misses an end.
    top = min(max(top, int(high[0]) - side), int(low[0]))
    left = min(max(left, int(high[1]) - side), int(low[1]))
    return Window(top, left, side)


def _masks(files: list[Path], images: object, mask: object) -> dict[Path, Path]:
    """The mask of each image: a single file for all, else the one of the same path in a folder."""
    if mask is None:
        raise ConfigError(
            "mask= is missing: give mask=PATH of an image that is white where to fill"
        )
    found = listed(mask, "mask")
    if several(mask) == [str(found[0])]:
        return dict.fromkeys(files, found[0])
    named: dict[Path, Path] = {}
    for path, name in names_of(found, mask).items():
        if name in named:
            raise DataError(f"mask={mask}: {named[name]} and {path} have the same name: remove one")
        named[name] = path
    wanted = names_of(files, images)
    if missing := [readable(name) for name in wanted.values() if name not in named]:
        raise DataError(
            f"mask={mask} has no masks of these names: {some(missing)}: add them, or name one mask "
            "file for all images"
        )
    if unused := [path for name, path in named.items() if name not in wanted.values()]:
        log.warning("masks without an image: %s", some([readable(path) for path in unused]))
    return {file: named[name] for file, name in wanted.items()}


def _holes(mask: Path, size: torch.Size) -> Tensor:
    """1 where the mask is lighter than middle grey, (H, W); DataError for a transparent mask."""
    file_image = original(mask)
    if file_image.has_transparency_data and file_image.getchannel("A").getextrema()[0] != 255:
        raise DataError(
            f"{readable(mask)} is partly transparent: save the mask in black and white, without "
            "transparency"
        )
    holes = read(mask, 1)[0]
    if holes.shape != size:
        raise DataError(
            f"{readable(mask)} has {holes.shape[1]} x {holes.shape[0]} pixels and its image "
            f"{size[1]} x {size[0]}: make them the same"
        )
    return (holes > 127).to(torch.uint8)


def _resized(images: Tensor, side: int) -> Tensor:
    """Images (B, C, S, S) resized to (B, C, side, side), bilinear and antialiased."""
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True)
