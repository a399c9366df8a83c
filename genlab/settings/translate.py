"""The settings of `genlab translate`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, TEXT, TRUTH


@dataclass(frozen=True, kw_only=True)
class Translate(Settings):
    """Translates your images as a model was trained to."""

    command = "translate"
    summary = "translate images with pix2pix or CycleGAN"
    usage = ("run=last|PATH image=PATH [KEY=VALUE ...]",)
    notes = """\
A sheet of the first images, before and after, is written to RUN/translated_DIRECTION.png;
every call replaces it.

Examples:

  genlab train model=pix2pix data.resolution=64            outline to avatar
  genlab translate run=last image=sketches
  genlab train model=cyclegan
  genlab translate run=last image=photos direction=open-peeps_to_pixel-art
"""

    run: str | None = fields.run()
    image: Any = setting(PATHS, "an image, a folder of images, or a pattern")
    direction: str | None = setting(
        TEXT.or_null, "for a model with two directions", None, "pixel-art_to_open-peeps"
    )
    derive: bool = setting(
        TRUTH,
        "true: compute the outline (or the grey image) of image= first, as in training; "
        "false: image= are outlines (or grey) already",
        False,
    )
    whole: bool = setting(
        TRUTH,
        "false: images are cropped to a square of the model's resolution, as its training"
        " images were; true: they keep their size",
        False,
    )
    out: str | None = fields.out(
        "the folder RUN/translated/DIRECTION; for a single image also a .png file. Names are kept"
    )
    overwrite: bool = fields.overwrite()
    seed: int = fields.seed("of random numbers in derive")
    accelerator: str = fields.accelerator()
