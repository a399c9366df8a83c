"""The settings of `genlab interpolate`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import TEXT, Settings, any_of, choice, setting, whole


@dataclass(frozen=True, kw_only=True)
class Interpolate(Settings):
    """Paths between codes, decoded."""

    command = "interpolate"
    summary = "go from one image to another through the latent space"
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
    steps: int = setting(whole(2), "images on a path, both ends included", 10)
    path: str = setting(
        choice("linear", "spherical"),
        "linear (the straight line) or spherical (the great circle, which keeps the "
        "length that draws from N(0, I) have: right for latents of GANs and VAEs; among "
        "styles the straight line is)",
        "linear",
    )
    space: str = setting(
        choice("auto", "z", "w"),
        "z (latents), w (styles, of a StyleGAN, where changes are most even) or auto "
        "(styles where there are some)",
        "auto",
    )
    layers: Any = setting(
        any_of(TEXT, whole()),
        "of a StyleGAN: the layers that go from start to end, while all others stay as "
        "they are at the start: coarse, middle, fine or a range (2-5, counted from 1, the"
        " coarsest); genlab mix --help says what they do",
        "all",
    )
    seed: int = fields.seed("of the draws, or of the choice of images")
    split: str = fields.split("where images come from")
    format: str = setting(
        choice("strip", "gif", "mp4", "all"),
        "strip (a PNG, one row for each path; real images stand at the ends of paths "
        "between them), gif, mp4 (all paths at once, to the end and back), or all",
        "strip",
    )
    frames_per_second: int = setting(whole(1, 50), "of GIF and MP4", 10)
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
