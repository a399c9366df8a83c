"""`genlab interpolate`: paths between images through the latent space."""

import logging
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from genlab.commands.loading import load_run_for
from genlab.commands.mix import layers_of, styles_of
from genlab.commands.outputs import destinations
from genlab.data.stream import take
from genlab.drawing.animations import write_gif
from genlab.drawing.image_grid import grid, save_png
from genlab.drawing.videos import write_mp4
from genlab.editing.space import LatentSpace, space_of
from genlab.errors import ConfigError
from genlab.latent import PATHS
from genlab.latent.layers import described, mixed
from genlab.learners.abilities import Generates
from genlab.runs.held_out import choose, condition_of, latents_of
from genlab.runs.loaded import LoadedRun
from genlab.settings.interpolate import Interpolate

log = logging.getLogger(__name__)

SUFFIXES = {
    "strip": [".png"],
    "gif": [".gif"],
    "mp4": [".mp4"],
    "all": [".png", ".gif", ".mp4"],
}
# Delays of a GIF are hundredths of a second, and players slow down a delay of one.


class Ends(NamedTuple):
    """Latents (B, n) of the ends of paths, and their real images uint8, if any."""

    starts: Tensor
    ends: Tensor
    images: tuple[Tensor, Tensor] | None = None


def run(settings: Interpolate) -> None:
    """Find the ends, interpolate, decode, write."""
    loaded = load_run_for(settings, "between=random")
    learner = loaded.require(Generates, "cannot make images of codes: choose another run")
    ends = _between_images(loaded, settings) if settings.between == "images" else None
    ends = ends or _between_draws(learner, settings)
    space = _space(loaded, settings)
    between = settings.split if ends.images else "random"
    name = f"interpolation_{between}_{settings.path}_seed{settings.seed}_"
    name += f"{settings.count}x{settings.steps}"
    name += "_w" * space.styled + f"_layers_{settings.layers}" * (settings.layers != "all")
    suffixes = SUFFIXES[settings.format]
    files = destinations(settings, loaded.folder, name, suffixes, "generated")
    images = _along(space, ends, settings)
    for suffix, file in files.items():
        if suffix == ".png":
            save_png(strip(images, ends.images, _caption(space, ends, settings)), file)
        else:
            _animate(images, file, settings.frames_per_second)
        log.info("wrote %s", file)


def strip(images: Tensor, real: tuple[Tensor, Tensor] | None, caption: str) -> Image.Image:
    """Paths uint8 (B, S, C, H, W) as rows of a grid, between real images (B, C, H, W), if any."""
    columns = list(images.unbind(1))
    apart: tuple[int, ...] = ()
    if real:
        columns = [real[0], *columns, real[1]]
        apart = (1, len(columns) - 1)
    return grid(torch.stack(columns, 1).flatten(0, 1), len(columns), caption, apart)


def _between_draws(learner: Generates, settings: Interpolate) -> Ends:
    """Draws from the prior; both ends of a path have the same main label of a conditional model."""
    generator = torch.Generator().manual_seed(settings.seed)
    starts = learner.latents(settings.count, generator, {})
    return Ends(starts, learner.latents(settings.count, generator, {}))


def _between_images(loaded: LoadedRun, settings: Interpolate) -> Ends:
    """Codes of images of the split: paths go from the first half of them to the second."""
    count = settings.count
    indices = choose(loaded, settings.split, 2 * count, settings.seed)
    if len(indices) < 2 * count:
        raise ConfigError(
            f"count={count} paths need {2 * count} images, and split={settings.split} holds "
            f"{len(indices)}: set count={len(indices) // 2} or less"
        )
    batch = take(loaded.data.image_set, indices)
    values = loaded.codes(batch, settings.batch_size)["values"]
    starts, ends = latents_of(loaded, values, batch.labels).split(count)
    return Ends(starts, ends, (batch.images[:count], batch.images[count:]))


def _space(loaded: LoadedRun, settings: Interpolate) -> LatentSpace:
    """The space of the paths; ConfigError for styles of a model without them."""
    if settings.space == "w" or settings.layers != "all":
        styles_of(loaded)
    return space_of(loaded, styled=settings.space != "z")


def _caption(space: LatentSpace, ends: Ends, settings: Interpolate) -> str:
    words = [f"{settings.path} paths"]
    if space.styled:
        words.append("of styles")
    if settings.layers != "all":
        layers = layers_of(space_of(space.loaded), settings.layers)
        words.append(f"in {described(layers)} alone")
    real = f"{settings.split} images, shown at the ends"
    words.append(f"between {real if ends.images else 'draws from the prior'}")
    return " ".join(words)


def _along(space: LatentSpace, ends: Ends, settings: Interpolate) -> Tensor:
    """Images uint8 (B, S, C, H, W) on the paths; layers not chosen keep the start's style."""
    if space.styled:  # all layers of an end have the same style
        starts, goals = (space.codes(latents)[:, 0] for latents in ends[:2])
        positions = torch.linspace(0, 1, settings.steps)
        path = PATHS[settings.path](starts, goals, positions)[:, :, None]
    else:
        path = _paths(space.loaded, ends, settings)[:, :, None]
    if settings.layers != "all":
        styles = space_of(space.loaded)
        if not space.styled:
            path = styles.codes(path.flatten(0, 2)).unflatten(0, path.shape[:2])
        path = mixed(styles.codes(ends.starts)[:, None], path, layers_of(styles, settings.layers))
        space = styles
    images = space.images(path.flatten(0, 1), settings.batch_size)
    result: Tensor = images.unflatten(0, path.shape[:2])
    return result


def _paths(loaded: LoadedRun, ends: Ends, settings: Interpolate) -> Tensor:
    """Latents (B, S, n); labels in them are always interpolated linearly."""
    positions = torch.linspace(0, 1, settings.steps)
    condition = condition_of(loaded)
    width = ends.starts.shape[1] - (condition.width if condition else 0)
    codes = PATHS[settings.path](ends.starts[:, :width], ends.ends[:, :width], positions)
    labels = PATHS["linear"](ends.starts[:, width:], ends.ends[:, width:], positions)
    return torch.cat([codes, labels], 2)


def _animate(images: Tensor, file: Path, frames_per_second: int) -> None:
    """Write all paths side by side, forwards and backwards, so that the animation loops."""
    forth = images.unbind(1)
    frames = map(grid, (*forth, *forth[-2:0:-1]))
    if file.suffix == ".mp4":
        write_mp4(frames, file, frames_per_second)
        return
    first, last = grid(forth[0]), grid(forth[-1])
    both = Image.new("RGB", (first.width, 2 * first.height))
    both.paste(first, (0, 0))
    both.paste(last, (0, first.height))
    write_gif(frames, file, round(1000 / frames_per_second), colours_of=both)
