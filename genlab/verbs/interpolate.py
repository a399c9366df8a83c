"""`genlab interpolate`: from one picture to another through the space of latents."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from genlab.artefacts.pictures import grid, save_png, write_gif
from genlab.artefacts.videos import write_mp4
from genlab.data.stream import take
from genlab.errors import ConfigError
from genlab.latent import PATHS
from genlab.learners.abilities import Generates
from genlab.opened import Opened, open_run
from genlab.pixels import to_uint8
from genlab.verbs.held_out import choose, condition_of, latents_of
from genlab.verbs.output import destinations, positive
from genlab.words import one_of

log = logging.getLogger(__name__)

BETWEEN = ("random", "images")
SUFFIXES = {
    "strip": [".png"],
    "gif": [".gif"],
    "mp4": [".mp4"],
    "all": [".png", ".gif", ".mp4"],
}
# Pauses of a GIF are whole hundredths of a second, and players slow down those of one.
MOST_FRAMES_PER_SECOND = 50


class Ends(NamedTuple):
    """Latents (B, n) to go from and to, and their real images uint8 where there are some."""

    starts: Tensor
    ends: Tensor
    images: tuple[Tensor, Tensor] | None = None


def run(config: dict[str, Any]) -> None:
    """Find the ends, go from one to the other, decode, write."""
    _check(config)
    batch_size = config["batch_size"]
    opened = open_run(config["run"], config["accelerator"])
    learner = opened.require(Generates, "cannot make pictures of codes: choose another run")
    ends = _between_images(opened, config) if config["between"] == "images" else None
    ends = ends or _between_draws(learner, config)
    path = _paths(opened, ends, config)
    pictures = opened.in_batches(
        lambda latents: to_uint8(learner.generate(latents)), path.flatten(0, 1), batch_size
    ).unflatten(0, path.shape[:2])
    between = config["split"] if ends.images else "random"
    name = f"interpolation_{between}_" + "{path}_seed{seed}_{count}x{steps}".format_map(config)
    suffixes = SUFFIXES[config["format"]]
    files = destinations(config["out"], opened.folder, name, suffixes, "generated")
    for suffix, file in files.items():
        if suffix == ".png":
            save_png(strip(pictures, ends.images, config), file)
        else:
            _animate(pictures, file, config["frames_per_second"])
        log.info("wrote %s", file)


def strip(
    pictures: Tensor, images: tuple[Tensor, Tensor] | None, config: Mapping[str, Any]
) -> Image.Image:
    """Paths uint8 (B, S, C, H, W) as rows of a grid, with the images (B, C, H, W) at the ends."""
    columns = list(pictures.unbind(1))
    apart: tuple[int, ...] = ()
    caption = f"{config['path']} paths between draws from the prior"
    if images:
        columns = [images[0], *columns, images[1]]
        apart = (1, len(columns) - 1)
        caption = f"{config['path']} paths between {config['split']} images, which stand apart"
    return grid(torch.stack(columns, 1).flatten(0, 1), len(columns), caption, apart)


def _check(config: Mapping[str, Any]) -> None:
    for key, known in (("between", BETWEEN), ("path", PATHS), ("format", SUFFIXES)):
        one_of(key, config[key], tuple(known))
    for key in ("count", "batch_size", "steps", "frames_per_second"):
        positive(config[key], key)
    if config["steps"] < 2:
        raise ConfigError(f"steps={config['steps']} must be at least 2: a path has two ends")
    if config["frames_per_second"] > MOST_FRAMES_PER_SECOND:
        raise ConfigError(
            f"frames_per_second={config['frames_per_second']} must be at most "
            f"{MOST_FRAMES_PER_SECOND}"
        )


def _between_draws(learner: Generates, config: Mapping[str, Any]) -> Ends:
    """Draws from the prior; of a conditional model both ends of a row have the same main label."""
    generator = torch.Generator().manual_seed(config["seed"])
    starts = learner.latents(config["count"], generator, {})
    return Ends(starts, learner.latents(config["count"], generator, {}))


def _between_images(opened: Opened, config: Mapping[str, Any]) -> Ends:
    """Codes of twice as many images, the first half of them in the set's order to the second."""
    count = config["count"]
    indices = choose(opened, config["split"], 2 * count, config["seed"])
    if len(indices) < 2 * count:
        raise ConfigError(
            f"count={count} paths need {2 * count} images, and split={config['split']} holds "
            f"{len(indices)}: set count={len(indices) // 2} or less"
        )
    batch = take(opened.data.image_set, indices)
    values = opened.codes(batch, config["batch_size"])["values"]
    starts, ends = latents_of(opened, values, batch.labels).split(count)
    return Ends(starts, ends, (batch.images[:count], batch.images[count:]))


def _paths(opened: Opened, ends: Ends, config: Mapping[str, Any]) -> Tensor:
    """(B, S, n) latents; labels within them always change evenly, for they are no directions."""
    positions = torch.linspace(0, 1, config["steps"])
    condition = condition_of(opened)
    width = ends.starts.shape[1] - (condition.width if condition else 0)
    codes = PATHS[config["path"]](ends.starts[:, :width], ends.ends[:, :width], positions)
    told = PATHS["linear"](ends.starts[:, width:], ends.ends[:, width:], positions)
    return torch.cat([codes, told], 2)


def _animate(pictures: Tensor, file: Path, frames_per_second: int) -> None:
    """All paths side by side, to their ends and back, so that the last frame meets the first."""
    forth = [grid(frame) for frame in pictures.unbind(1)]
    frames = forth + forth[-2:0:-1]
    if file.suffix == ".mp4":
        write_mp4(frames, file, frames_per_second)
        return
    both = Image.new("RGB", (forth[0].width, 2 * forth[0].height))
    both.paste(forth[0], (0, 0))
    both.paste(forth[-1], (0, forth[0].height))
    write_gif(frames, file, round(1000 / frames_per_second), colours_of=both)
