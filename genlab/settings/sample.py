"""The settings of `genlab sample`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import LABELS, NUMBERS, SEEDS, choice, whole

FORMATS = ("grid", "png", "npz")


@dataclass(frozen=True, kw_only=True)
class Sample(Settings):
    """Generates new images with a trained model."""

    command = "sample"
    summary = "generate new images with a trained model"
    notes = """\
With a StyleGAN, truncation moves styles towards their mean: 1 leaves them unchanged, 0 gives all
images the mean style, above 1 styles are exaggerated. Only the first 8 layers (up to 32 pixels)
are truncated, so that colours and detail keep their variety. With GANs, VAEs and other models
with a prior N(0, I), truncation is the bound of a truncated normal distribution. 2 changes little;
with 1 and less, images of many GANs turn grey, because latents of such a small norm hardly occurred
in training.

With K classes, seed s shows class s mod K.

Examples:

  genlab sample run=last
  genlab sample run=runs/my_run count=10000 format=npz out=samples.npz
  genlab sample -m run=last seed=1,2,3
  genlab sample run=last seeds=0-31 truncation=0.7
  genlab sample run=runs/my_stylegan seeds=[3,17,42] truncation=[0,0.5,0.7,1,1.3]"""

    run: str | None = fields.run()
    format: str = setting(
        choice(*FORMATS),
        'grid (one PNG), png (a folder of PNGs), npz (uint8 NHWC under "images")',
        "grid",
    )
    count: int = fields.count(64, "number of images")
    labels: Mapping[str, Any] | None = setting(
        LABELS.or_null,
        "classes to generate, for conditional models (default: all in turn)",
        None,
        "{hair:none}",
    )
    seed: int = fields.seed("of the latents: the same seed gives the same images")
    seeds: Any = setting(
        SEEDS.or_null,
        "an image for each seed, in place of count and seed: a range, a number or a list [3,17,42]",
        None,
        "0-63",
    )
    truncation: Any = setting(
        NUMBERS.or_null,
        "less variety for better images; a list, [0.3,0.5,1], gives a column for each",
        None,
        "0.7",
    )
    truncation_layers: int = setting(
        whole(), "number of layers, from the coarsest, with truncated styles", 8
    )
    out: str | None = fields.out("RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
