"""The settings of `genlab upscale`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import PATHS, Settings, setting, whole


@dataclass(frozen=True, kw_only=True)
class Upscale(Settings):
    """Images of any size, enlarged by a network of model=srgan."""

    command = "upscale"
    summary = "enlarge images with a network trained by model=srgan"
    usage = ("run=last|PATH image=PATH [KEY=VALUE ...]",)
    notes = """\
The factor is that of the model: model.view.factor=2, 4 or 8 when it was trained.

Examples:

  genlab train model=srgan data=folder data.path=~/photos data.resolution=128
  genlab upscale run=last image=~/holiday.jpg
  genlab upscale run=last image=~/old out=~/large
"""

    run: str | None = fields.run()
    image: Any = setting(PATHS, "an image, a folder of images, or a pattern such as 'photos/*.jpg'")
    out: str | None = fields.out(
        "the folder RUN/upscaled; for a single image a .png file will do. Names and "
        "transparency are kept; 16 bits become 8"
    )
    overwrite: bool = fields.overwrite()
    tile: int = setting(
        whole(),
        "pixels of the square pieces in which an image is worked on: less takes less "
        "memory. Pieces overlap by as much as the network looks around, so that no seam "
        "shows",
        128,
    )
    accelerator: str = fields.accelerator()
