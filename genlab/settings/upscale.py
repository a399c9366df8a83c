"""The settings of `genlab upscale`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, whole


@dataclass(frozen=True, kw_only=True)
class Upscale(Settings):
    """Enlarges images of any size with a network of model=srgan."""

    command = "upscale"
    summary = "enlarge images with a network trained by model=srgan"
    usage = ("run=last|PATH image=PATH [KEY=VALUE ...]",)
    notes = """\
The factor is that of the training: model.view.factor=2, 4 or 8.

Examples:

  genlab train model=srgan data=folder data.path=~/photos data.resolution=128
  genlab upscale run=last image=~/holiday.jpg
  genlab upscale run=last image=~/old out=~/large
"""

    run: str | None = fields.run()
    image: Any = setting(PATHS, "an image, a folder of images, or a pattern such as 'photos/*.jpg'")
    out: str | None = fields.out(
        "the folder RUN/upscaled; for a single image also a .png file. Names and "
        "transparency are kept; 16-bit images become 8-bit"
    )
    overwrite: bool = fields.overwrite()
    tile: int = setting(
        whole(),
        "side in pixels of the tiles that an image is processed in: smaller ones take less "
        "memory. Tiles overlap by the receptive field of the network, so that there are no "
        "seams",
        128,
    )
    accelerator: str = fields.accelerator()
