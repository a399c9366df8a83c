"""The settings of `genlab visualise`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import TEXT, TRUTH, choice, several, whole

FEWEST = 3  # images that can be drawn


@dataclass(frozen=True, kw_only=True)
class Visualise(Settings):
    """Draws the latent space, and writes it for TensorBoard's projector."""

    command = "visualise"
    summary = "draw the latent space"
    notes = """\
METHOD_LABEL_SPLIT.png has a point for each image, coloured by a label; METHOD_images_SPLIT.png
shows the images themselves. Distances are meaningful in pca; tsne and umap preserve only
neighbours.
For autoencoders also
  traversals_SPLIT.png   each code of a real image varied from -3 to 3 standard deviations around
                         its value, the most informative first (by KL, or else by variance)
  decoded_SPLIT.png      for codes of two numbers: the whole plane, decoded

Examples:

  genlab visualise run=last
  genlab visualise run=runs/my_vae methods=[pca] tensorboard=false
  tensorboard --logdir runs/my_vae     then choose Projector
"""

    run: str | None = fields.run()
    split: str = fields.split()
    count: int = setting(whole(FEWEST), "number of images, drawn from the split", 2000)
    seed: int = fields.seed("of the choice of images, and of t-SNE and UMAP")
    methods: Any = setting(
        several(choice("pca", "tsne", "umap"), "planes", "[pca,umap]"),
        "planes to draw the codes in; [] for none",
        ["pca", "tsne", "umap"],
    )
    labels: Any = setting(
        several(TEXT, "labels", "[hair]").or_null,
        "labels to colour the points by (default: all, one figure each)",
        None,
        "[hair]",
    )
    tensorboard: bool = setting(TRUTH, "also write the codes for TensorBoard's projector", True)
    out: str | None = fields.out("the folder RUN/codes")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
