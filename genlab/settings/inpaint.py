"""The settings of `genlab inpaint`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import PATHS, Settings, choice, setting, whole


@dataclass(frozen=True, kw_only=True)
class Inpaint(Settings):
    """Holes in images, filled; all other pixels stay as they are."""

    command = "inpaint"
    summary = "fill holes in images; all other pixels stay as they are"
    usage = ("run=last|PATH image=PATH mask=PATH [KEY=VALUE ...]",)
    notes = """\
Examples:

  genlab train model=context_encoder data.resolution=64 model.view.kind=free_form
  genlab inpaint run=last image=face.png mask=hole.png
  genlab inpaint run=runs/stylegan image=face.png mask=hole.png      by projection
"""

    run: str | None = fields.run()
    image: Any = setting(PATHS, "an image of any size, a folder of images, or a pattern")
    mask: Any = setting(
        PATHS.or_null,
        "an image of the same size, white where to fill (lighter than middle grey, "
        "without transparency); or a folder with a mask of the same place and name for "
        "every image: photos/a/1.jpg goes with masks/a/1.png. A single file serves all "
        "images",
        None,
        "PATH",
    )
    method: str = setting(
        choice("auto", "translator", "projection"),
        "translator: the network of model=context_encoder fills the hole; projection: a "
        "generator's code is looked for whose image agrees around the hole (any model "
        "that makes images); auto: translator where there is one",
        "auto",
    )
    out: str | None = fields.out(
        "the folder RUN/inpainted; for a single image a .png file will do. Names are "
        "kept, and so are colours, transparency, 16 bits of grey and colour profile of "
        "all other pixels; colours of 16 bits have 8 then. What is filled is opaque"
    )
    overwrite: bool = fields.overwrite()
    steps: int = setting(whole(), "of method=projection: steps of Adam", 500)
    draws: int = setting(
        whole(), "of method=projection: random codes that it starts from the best of", 1000
    )
    seed: int = fields.seed("of the draws")
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
