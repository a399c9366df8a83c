"""The settings of `genlab reconstruct`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, choice


@dataclass(frozen=True, kw_only=True)
class Reconstruct(Settings):
    """Encodes and decodes held-out images, or your own, with an autoencoder."""

    command = "reconstruct"
    summary = "encode and decode images with an autoencoder"
    usage = ("run=last|PATH [image=PATH] [KEY=VALUE ...]",)
    notes = """\
Examples:

  genlab reconstruct run=last split=validation count=64
  genlab reconstruct run=runs/my_denoiser image=noisy out=clean
"""

    run: str | None = fields.run()
    image: Any = setting(
        PATHS.or_null,
        "your own images: a file, a folder, a pattern ('faces/*.png'), or a list "
        "[a.png,b.png]; a PNG of the same name is written for each. The run's corruption is "
        "not added, so that a denoising autoencoder cleans noisy images. The data that the "
        "run was trained on are not needed",
        None,
        "PATH",
    )
    overwrite: bool = fields.overwrite()
    split: str = fields.split("without image=: a part of the data, with the run's corruption")
    format: str = setting(
        choice("grid", "png", "npz"),
        "grid (original and reconstruction side by side in one PNG), png (a folder of "
        'PNGs), npz (uint8 NHWC: reconstructed "images", "originals"; "labels")',
        "grid",
    )
    count: int = fields.count(32, "number of images")
    seed: int = fields.seed("of the choice of images")
    out: str | None = fields.out("RUN/generated, for image= RUN/reconstructed")
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
