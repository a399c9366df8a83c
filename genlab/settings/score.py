"""The settings of `genlab score`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import PATHS, SHARE, choice, whole


@dataclass(frozen=True, kw_only=True)
class Score(Settings):
    """Finds anomalies with an autoencoder that was trained on normal images."""

    command = "score"
    summary = "find anomalies: score how unusual images are for an autoencoder"
    usage = ("run=last|PATH [image=PATH] [KEY=VALUE ...]",)
    notes = """\
Train on normal images only. The model learns to reconstruct these; an image that it reconstructs
badly is an anomaly. A CSV has the name of each image, its score, the share of normal validation
images with a lower score, and whether it is an anomaly ("strange"), sorted by score: at most the
share false_alarms of normal images scores above the threshold. A PNG shows the images with the
highest scores, their reconstructions and the differences. The scores of validation images are
stored in the run (normal_scores.json: by training for reconstruction, by the first genlab score
for likelihood), so that image= needs only your images.

With a class left out of training, split=test measures how well it is detected: area under the ROC
curve and average precision, compared with those of the distance to the mean training image, as
JSON, and both histograms as a PNG.

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
        "[a.png,b.png]; cropped to a square and resized, like a folder of data",
        None,
        "PATH",
    )
    split: str = fields.split("without image=: a part of the data")
    count: int | None = fields.count(
        None, "number of the split's images, drawn with the seed (default: all)"
    )
    by: str = setting(
        choice("auto", "reconstruction", "likelihood"),
        "reconstruction (mean squared error per pixel on [0, 1]), likelihood (-log p(x) in "
        "nats, for VAEs), or auto: reconstruction",
        "auto",
    )
    samples: int = setting(whole(), "for by=likelihood: codes for each image", 100)
    normal_images: int = setting(whole(), "validation images to compare scores with", 2000)
    false_alarms: float = setting(
        SHARE,
        "share of normal images above the threshold: it determines the threshold",
        0.01,
    )
    show: int = setting(whole(), "number of images with the highest scores to print and draw", 8)
    seed: int = fields.seed("of the choices above, and of codes for likelihood")
    overwrite: bool = fields.overwrite()
    out: str | None = fields.out("the folder RUN/scores")
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
