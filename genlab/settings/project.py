"""The settings of `genlab project`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import PATHS, Settings, any_of, choice, setting, several, whole


@dataclass(frozen=True, kw_only=True)
class Project(Settings):
    """Codes of real images."""

    command = "project"
    summary = "find the codes of real images, for any model that makes images"
    usage = ("run=last|PATH image=FILE|index=NUMBER [KEY=VALUE ...]",)
    notes = """\
A PNG has a row for each image: the image, 8 images on the way to its code, the last of
which is that of the code. An npz has codes (N, layers, n), images and errors. What is made
small is the squared error of pixels and, where data have labels, of the features of a
classifier that is trained once and cached.

Examples:

  genlab project run=last index=[0,1,2,3]
  genlab project run=runs/my_stylegan image=face.jpg space=w steps=1000
  genlab project run=runs/my_vae image='faces/*.png' method=optimise
"""

    run: str | None = fields.run()
    image: Any = setting(
        PATHS.or_null,
        "a file, a folder, a pattern ('faces/*.png'), or a list [a.png,b.png]; cut to a "
        "square and resized as a folder of data would be",
        None,
        "face.jpg",
    )
    index: Any = setting(
        any_of(whole(0), several(whole(0), "places", "[0,1,2]")).or_null,
        "instead of image=: places of images in the split, a number or a list [0,1,2]",
        None,
        "3",
    )
    split: str = fields.split("where index= counts")
    method: str = setting(
        choice("auto", "encoder", "optimise"),
        "encoder (the autoencoder's own), optimise (gradient descent from the best of "
        "random codes, for every model), or auto: the encoder where there is one",
        "auto",
    )
    space: str = setting(
        choice("auto", "z", "w", "w+"),
        "where optimise looks: z (latents), w (a style for all layers), w+ (a style for "
        "each layer, nearest to the image), or auto: w+ where there are styles, else z",
        "auto",
    )
    steps: int = setting(whole(), "of optimise", 500)
    draws: int = setting(whole(), "of optimise: random codes, the best of which is the start", 1000)
    seed: int = fields.seed("of these")
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size(100)
    accelerator: str = fields.accelerator()
