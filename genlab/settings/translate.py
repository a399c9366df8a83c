"""The settings of `genlab translate`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import PATHS, TEXT, TRUTH, Settings, setting


@dataclass(frozen=True, kw_only=True)
class Translate(Settings):
    """Images of yours, turned into what a translator was trained to make."""

    command = "translate"
    summary = "turn images into what a translator was trained to make"
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
        TEXT.or_null, "of a model with two directions", None, "pixel-art_to_open-peeps"
    )
    derive: bool = setting(
        TRUTH,
        "true: image= are whole images, of which the outline (or the grey image) is made "
        "first, as in training; false: they are outlines (or grey) already",
        False,
    )
    whole: bool = setting(
        TRUTH,
        "false: images are cropped to a square of the model's resolution, as its training"
        " images were; true: they keep their size",
        False,
    )
    out: str | None = fields.out(
        "the folder RUN/translated/DIRECTION; for a single image a .png file will do. "
        "Names are kept"
    )
    overwrite: bool = fields.overwrite()
    seed: int = fields.seed("of what derive draws")
    accelerator: str = fields.accelerator()
