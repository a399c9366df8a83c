"""The settings of `genlab encode`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, choice


@dataclass(frozen=True, kw_only=True)
class Encode(Settings):
    """Writes the codes of images with their labels."""

    command = "encode"
    summary = "write the codes of a run's images with their labels, or of your own images"
    usage = ("run=last|PATH [image=PATH] [KEY=VALUE ...]",)
    notes = """\
The table has the columns index (the image's position in the data set; for your images name, the
file's path), code_0, code_1, ..., each label with the names of its classes, and further outputs of
the encoder that are one number (a codebook's distance). The arrays are codes (N, n), indices or
names, labels (labels/NAME for others than the main label), classes/NAME, and all further outputs
of the encoder (mean, log_variance, ...).
The code of a Gaussian posterior is its mean.

Examples:

  genlab encode run=last
  genlab encode run=runs/my_vae split=train format=both out=codes
  genlab encode run=last image=~/faces
  python -c "import numpy; print(numpy.load('codes/codes_train.npz')['codes'].shape)"
"""

    run: str | None = fields.run()
    image: Any = setting(
        PATHS.or_null,
        "your own images: a file, a folder, a pattern ('faces/*.png'), or a list "
        "[a.png,b.png]; the data that the run was trained on are not needed",
        None,
        "PATH",
    )
    split: str = fields.split("without image=: a part of the data")
    count: int | None = fields.count(
        None, "number of images, drawn from the split at random, always the same (default: all)"
    )
    format: str = setting(
        choice("parquet", "npz", "both"),
        "parquet (a table: a row for each image), npz (arrays) or both",
        "parquet",
    )
    out: str | None = fields.out("the folder RUN/codes")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
