"""The settings of `genlab project`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, any_of, choice, several, whole


@dataclass(frozen=True, kw_only=True)
class Project(Settings):
    """Finds the codes of real images."""

    command = "project"
    summary = "find the codes of real images, for any model that makes images"
    usage = ("run=last|PATH image=FILE|index=NUMBER [KEY=VALUE ...]",)
    notes = """\
A PNG has a row for each image: the image and 8 intermediate images of the optimisation, the last
of which is the reconstruction. An npz has codes (N, layers, n), images and errors. The loss is the
squared error of pixels and, if the data have labels, of the features of a classifier that is
trained once and cached.

Examples:

  genlab project run=last index=[0,1,2,3]
  genlab project run=runs/my_stylegan image=face.jpg space=w steps=1000
  genlab project run=runs/my_vae image='faces/*.png' method=optimise
"""

    run: str | None = fields.run()
    image: Any = setting(
        PATHS.or_null,
        "a file, a folder, a pattern ('faces/*.png'), or a list [a.png,b.png]; cropped to a "
        "square and resized, like a folder of data",
        None,
        "face.jpg",
    )
    index: Any = setting(
        any_of(whole(0), several(whole(0), "positions", "[0,1,2]")).or_null,
        "instead of image=: positions of images in the split, a number or a list [0,1,2]",
        None,
        "3",
    )
    split: str = fields.split("the part of the data for index=")
    method: str = setting(
        choice("auto", "encoder", "optimise"),
        "encoder (of an autoencoder), optimise (gradient descent from the best of random "
        "codes, for every model), or auto: the encoder if there is one",
        "auto",
    )
    space: str = setting(
        choice("auto", "z", "w", "w+"),
        "the space for optimise: z (latents), w (one style for all layers), w+ (a style for "
        "each layer, which fits images best), or auto: w+ if there are styles, else z",
        "auto",
    )
    steps: int = setting(whole(), "for optimise: steps of Adam", 500)
    draws: int = setting(whole(), "for optimise: random codes, the best is the start", 1000)
    seed: int = fields.seed("of the random codes")
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size(100)
    accelerator: str = fields.accelerator()
