"""`genlab mix`: images with the styles of two latents, and the effect of noise."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.commands.loading import load_run_for
from genlab.commands.outputs import keep_others
from genlab.drawing.image_grid import grid, save_png, with_caption, with_column_captions
from genlab.drawing.sheets import side_by_side
from genlab.editing.space import LatentSpace, space_of
from genlab.errors import ConfigError
from genlab.latent.layers import PARTS, chosen, described, mixed
from genlab.learners.abilities import Generates
from genlab.learners.learner import seed_noise
from genlab.learners.styles import Styles
from genlab.pixels import to_uint8
from genlab.runs.loaded import LoadedRun
from genlab.settings.mix import Mix

log = logging.getLogger(__name__)

_TABLES, _NOISE = "mix_{layers}_seed{seed}_{rows}x{columns}", "noise_seed{seed}_{rows}"
DRAWS = 20  # of noise
SHOWN = 0.99  # share of pixels that are darker than white in the figure of deviations


def run(settings: Mix) -> None:
    """Draw latents of rows and columns, mix their styles, vary the noise, write."""
    if Path(settings.out or "").suffix == ".png":
        raise ConfigError(f"out={settings.out}: two images are written, so name a folder")
    loaded = load_run_for(settings)
    keep_others([_path(_TABLES, settings, loaded)], settings)  # noise is the same for all layers
    styles = styles_of(loaded)
    space = space_of(loaded)
    generator = torch.Generator().manual_seed(settings.seed)
    rows, columns = (
        space.codes(space.learner.latents(getattr(settings, key), generator, {}))
        for key in ("rows", "columns")
    )
    parts = PARTS if settings.layers == "all" else (settings.layers,)
    if len(parts) > space.layers:
        raise ConfigError(
            f"layers=all: this model has {space.layers} layers so far, too few for coarse, middle "
            "and fine styles: train it further, or name layers=1-2"
        )
    tables = [table(space, rows, columns, part, settings.batch_size) for part in parts]
    _save(stacked(tables), _TABLES, settings, loaded)
    seed_noise(settings.seed)
    noise = noise_effect(loaded, styles, rows, settings.batch_size)
    _save(noise, _NOISE, settings, loaded)


def styles_of(loaded: LoadedRun) -> Styles:
    """The styles of the model; ConfigError if it has none."""
    learner = loaded.require(Generates, "cannot make images of codes: choose another run")
    if learner.styles is None:
        raise ConfigError(
            f"run={loaded.folder.path}: this {type(learner).__name__.lower()} model has no styles: "
            "choose the run of a StyleGAN (model=stylegan or stylegan2)"
        )
    result: Styles = learner.styles
    return result


def layers_of(space: LatentSpace, words: str | int) -> range:
    """The layers that a setting names; ConfigError for words that name none."""
    try:
        return chosen(words, space.layers)
    except ValueError as error:
        raise ConfigError(f"layers={words}: {error}") from error


def table(
    space: LatentSpace, rows: Tensor, columns: Tensor, words: str | int, batch_size: int
) -> Image.Image:
    """Images with styles of rows (R, L, n), and those of columns (C, L, n) in the named layers.

    Karras et al. 2019, figure 3: images of the columns alone are on top, those of the rows alone to
    the left.
    """
    layers = layers_of(space, words)
    cells = torch.cat([columns[None], mixed(rows[:, None], columns, layers)])
    made = space.images(cells.flatten(0, 1), batch_size).unflatten(0, cells.shape[:2])
    left = space.images(rows, batch_size)
    left = torch.cat([torch.full_like(left[:1], 255), left])
    images = torch.cat([left[:, None], made], 1)
    part = f"{words} styles, " if words in PARTS else ""
    caption = f"{part}{described(layers)}, from the top row; all others from the left column"
    return grid(images.flatten(0, 1), len(columns) + 1, caption, apart=(1,))


def noise_effect(loaded: LoadedRun, styles: Styles, codes: Tensor, batch_size: int) -> Image.Image:
    """The effect of noise on images of codes (N, L, n), a row for each.

    Karras et al. 2019, figures 4 and 5: with fixed noise, without noise, the average over draws of
    noise, and each pixel's standard deviation over them and all channels.
    """

    def images(noise: str) -> Tensor:
        return loaded.in_batches(
            lambda part: styles.images(part, noise).clamp(-1, 1), codes, batch_size
        )

    average = torch.zeros(())
    squares = torch.zeros(())
    for number in range(1, DRAWS + 1):
        drawn = images("random")
        before = drawn - average
        average = average + before / number
        squares = squares + before * (drawn - average)  # Welford 1962
    deviation = (squares / DRAWS).mean(1, keepdim=True).sqrt()
    # The few largest values are clipped, because they would leave the others dark.
    white = float(np.quantile(deviation.numpy(), SHOWN))
    stretched = (deviation / (white or 1)).clamp(max=1).mul(2).sub(1).expand_as(average)
    shown = [to_uint8(view) for view in (images("fixed"), images("none"), average, stretched)]
    about = ("fixed noise", "no noise", f"average of {DRAWS} draws", "standard deviation")
    sheet = with_column_captions(grid(side_by_side(*shown), len(shown)), about)
    return with_caption(sheet, f"white: a standard deviation of {127.5 * white:.3g} of 255 or more")


def stacked(images: Sequence[Image.Image]) -> Image.Image:
    """Images of the same width, one above another."""
    sheet = Image.new("RGB", (images[0].width, sum(image.height for image in images)))
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height
    return sheet


def _path(name: str, settings: Mix, loaded: LoadedRun) -> Path:
    folder = Path(settings.out or loaded.folder.path / "generated").expanduser()
    return folder / (name.format_map(asdict(settings)) + loaded.folder.tag + ".png")


def _save(image: Image.Image, name: str, settings: Mix, loaded: LoadedRun) -> None:
    path = _path(name, settings, loaded)
    save_png(image, path)
    log.info("wrote %s", path)
