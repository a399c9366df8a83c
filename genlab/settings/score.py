"""The settings of `genlab score`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import PATHS, SHARE, Settings, choice, setting, whole


@dataclass(frozen=True, kw_only=True)
class Score(Settings):
    """How strange images are to an autoencoder that was trained on normal ones."""

    command = "score"
    summary = "say how strange images are to an autoencoder, and so find anomalies"
    usage = ("run=last|PATH [image=PATH] [KEY=VALUE ...]",)
    notes = """\
Train on normal images only. The model has learnt to rebuild these; what it rebuilds badly is
strange to it. A CSV has the name of each image, its score, the share of normal validation
images that score lower, and whether it is strange, the strangest first: of normal images at
most the share false_alarms scores above the threshold. A PNG shows the
strangest ones, their reconstructions and where they differ. The scores of validation images are
kept in the run (normal_scores.json: reconstruction's by its training, likelihood's by the first
genlab score), so that image= needs no data but your images.

With a class left out of training, split=test says how well it is found: area under the ROC
curve and average precision, beside those of the distance to the mean training image, as JSON,
and both histograms as a PNG.

Examples:

  genlab train model=stacked_autoencoder data=folder data.path=good_parts
  genlab score run=last image=new_parts
  genlab train model=stacked_autoencoder data=fashion_mnist data.leave_out=Bag
  genlab score run=last
"""

    run: str | None = fields.run()
    image: Any = setting(
        PATHS.or_null,
        "your own images: a file, a folder, a pattern ('faces/*.png'), or a list "
        "[a.png,b.png]; cut to a square and resized as a folder of data would be",
        None,
        "PATH",
    )
    split: str = fields.split("without image=: a part of the data")
    count: int | None = fields.count(
        None, "of the split's images, drawn by the seed (default: all)"
    )
    by: str = setting(
        choice("auto", "reconstruction", "likelihood"),
        "reconstruction (mean squared error per pixel on [0, 1]), likelihood (minus log "
        "p(x) in nats, of VAEs), or auto: reconstruction",
        "auto",
    )
    samples: int = setting(whole(), "of by=likelihood: codes for each image", 100)
    normal_images: int = setting(whole(), "validation images that scores are set beside", 2000)
    false_alarms: float = setting(
        SHARE,
        "share of normal images that may be called strange: it decides on the threshold",
        0.01,
    )
    show: int = setting(whole(), "the strangest so many are printed and drawn", 8)
    seed: int = fields.seed("of the choices above, and of likelihood's codes")
    overwrite: bool = fields.overwrite()
    out: str | None = fields.out("the folder RUN/scores")
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
