"""The settings of `genlab interpolate`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import TEXT, any_of, choice, whole


@dataclass(frozen=True, kw_only=True)
class Interpolate(Settings):
    """Paths between codes, decoded."""

    command = "interpolate"
    summary = "interpolate between images in the latent space"
    notes = """\
Examples:

  genlab interpolate run=last path=spherical
  genlab interpolate run=runs/my_vae between=images count=12
  genlab interpolate run=last format=mp4 steps=60 frames_per_second=30 count=16
  genlab interpolate run=runs/my_stylegan layers=fine
  genlab interpolate run=runs/my_stylegan space=z path=spherical
"""

    run: str | None = fields.run()
    between: str = setting(
        choice("random", "images"),
        "random (draws from the prior, for every model that makes new images) or images "
        "(codes of real images, for autoencoders)",
        "random",
    )
    count: int = fields.count(8, "paths, one row each")
    steps: int = setting(whole(2), "images on a path, including both ends", 10)
    path: str = setting(
        choice("linear", "spherical"),
        "linear (the straight line, for styles) or spherical (the great circle, which keeps "
        "the length of draws from N(0, I), for latents of GANs and VAEs)",
        "linear",
    )
    space: str = setting(
        choice("auto", "z", "w"),
        "z (latents), w (styles of a StyleGAN, which change images most evenly) or auto "
        "(styles if the model has them)",
        "auto",
    )
    layers: Any = setting(
        any_of(TEXT, whole()),
        "of a StyleGAN: the layers that are interpolated, while all others keep the start's "
        "style: coarse, middle, fine or a range (2-5, counted from 1, the coarsest); see "
        "genlab mix --help",
        "all",
    )
    seed: int = fields.seed("of the draws, or of the choice of images")
    split: str = fields.split("the part of the data that images are from")
    format: str = setting(
        choice("strip", "gif", "mp4", "all"),
        "strip (a PNG, one row for each path, with real images at the ends of paths between "
        "them), gif, mp4 (all paths at once, forwards and backwards), or all",
        "strip",
    )
    frames_per_second: int = setting(whole(1, 50), "of GIF and MP4", 10)
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
