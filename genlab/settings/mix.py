"""The settings of `genlab mix`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import TEXT, any_of, whole

MOST = 100  # rows and columns that one sheet holds


@dataclass(frozen=True, kw_only=True)
class Mix(Settings):
    """Styles of one latent in some layers, of another in the rest; and what noise does."""

    command = "mix"
    summary = "mix the styles of images, layer by layer, with a StyleGAN"
    notes = """\
There are two layers for each resolution, from 4 pixels on. Coarse layers (4 to 8 pixels) control
pose and shape, middle ones (16 to 32) features, fine ones (64 and above) colours and detail.
Images below 128 pixels have fewer layers, which are divided into three parts of nearly equal size;
captions name the layers.

mix_....png is the table of figure 3 of the StyleGAN paper (https://arxiv.org/abs/1812.04948).
noise_....png has a row for each image of the left column: with fixed noise, without noise, the
average over 20 draws of noise, and the standard deviation of each pixel, stretched to the full
range (figures 4 and 5). Noise does not change what is black there.

Examples:

  genlab mix run=last
  genlab mix run=runs/my_stylegan layers=coarse rows=3 columns=8
  genlab mix run=last layers=1-2 seed=7
"""

    run: str | None = fields.run()
    layers: Any = setting(
        any_of(TEXT, whole()),
        "layers with the styles of the top row: coarse, middle, fine, a range (2-5, counted "
        "from 1, the coarsest) or one layer (3); all: a table each for coarse, middle and "
        "fine",
        "all",
    )
    rows: int = setting(
        whole(1, MOST), "images in the left column, with the styles of all other layers", 4
    )
    columns: int = setting(whole(1, MOST), "images in the top row", 6)
    seed: int = fields.seed("of their latents, and of the noise")
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
