"""The settings of `genlab inpaint`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, choice, whole


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
        "without transparency); or a folder with a mask of the same path and name for "
        "every image: masks/a/1.png for photos/a/1.jpg. A single file is used for all "
        "images",
        None,
        "PATH",
    )
    method: str = setting(
        choice("auto", "translator", "projection"),
        "translator: the network of model=context_encoder fills the hole; projection: find "
        "a code whose image agrees around the hole (any model that makes images); auto: "
        "translator if the run has one",
        "auto",
    )
    out: str | None = fields.out(
        "the folder RUN/inpainted; for a single image also a .png file. Names are kept, and "
        "so are colours, transparency, 16-bit grey and colour profile of all other pixels; "
        "16-bit colours become 8-bit. Filled pixels are opaque"
    )
    overwrite: bool = fields.overwrite()
    steps: int = setting(whole(), "of method=projection: steps of Adam", 500)
    draws: int = setting(
        whole(), "of method=projection: random codes, the best of which is the start", 1000
    )
    seed: int = fields.seed("of the random codes")
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
