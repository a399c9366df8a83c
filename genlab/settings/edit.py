"""The settings of `genlab edit`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import (
    NUMBER,
    SEEDS,
    TEXT,
    Settings,
    any_of,
    choice,
    setting,
    several,
    whole,
)


@dataclass(frozen=True, kw_only=True)
class Edit(Settings):
    """Images changed along directions in the latent space, and sums of codes."""

    command = "edit"
    summary = "change what images show, by directions in the latent space and by sums"
    usage = (
        "run=last|PATH direction=WORD [KEY=VALUE ...]",
        'run=last|PATH "with_LABEL - without_LABEL + SEED" [KEY=VALUE ...]',
    )
    notes = """\
Sums have terms with spaces around + and -, each with a factor or not (1.5*with_hat):
  with_LABEL, without_LABEL          the mean code of images with it, and without (class none)
  LABEL:CLASS, not_LABEL:CLASS       the mean code of images of a class, and of all others
  7                                  the code of the seed 7
A set differs from all other images in its own label alone, not in what goes with it: the step
between them, one for every code, is learned with a classifier of the data set's labels that was
taught on noisy images. From where it leads each code is improved by itself, so that its image
shows what is asked for, and keeps its other labels, and its pixels where the step changes little.
A second classifier says what images show. Both are trained once and cached.

Beside the images, a JSON file says what the edit does to fresh images that do not show yet
what is asked for: `flipped`, the share that shows it then (`flipped_through_noise`: to the
classifier of noisy images), and `kept/LABEL`, the share in which another label (with or
without, or which of two classes) is as it was.

Examples:

  genlab edit run=last direction=glasses
  genlab edit run=last direction=mouth:happy strengths=[-4,-2,0,2,4] seeds=[3,5]
  genlab edit run=last direction=pca count=4
  genlab edit run=last "with_glasses - without_glasses + 7"
  genlab edit run=last "with_beard - without_beard + hair:long - not_hair:long + 7"
"""

    run: str | None = fields.run()
    direction: str | None = setting(
        TEXT.or_null,
        "what to change: LABEL (has it or not), LABEL:CLASS (hair:long), pca (what codes "
        "vary in most, GANSpace), factorised (what the layers of a StyleGAN magnify most,"
        " SeFa)",
        None,
        "glasses",
    )
    expression: str | None = setting(
        TEXT.or_null, 'the same as a bare "SUM", see below', None, "SUM"
    )
    strengths: Any = setting(
        any_of(choice("auto"), several(NUMBER, "numbers", "[-2,0,2]", least=1)),
        "columns of the strip, as [-2,0,2]: for a label how often its step is taken, for "
        "components in standard deviations of codes along them; auto: up to half as far "
        "again as changes 85% of images, or from -3 to 3",
        "auto",
    )
    strength: Any = setting(
        any_of(choice("auto"), NUMBER),
        "how often the sets of a sum count; auto is the smallest strength that changes 85%"
        " of images, also as seen through noise",
        "auto",
    )
    settle: int = setting(
        whole(0), "steps in which each result of a sum is improved by itself; 0 for not at all", 350
    )
    seeds: Any = setting(SEEDS, "images to edit, one row each: a range, or a list [3,5]", "0-7")
    count: int = fields.count(8, "components, of pca and factorised")
    codes: int = setting(whole(), "draws that directions are found from", 4000)
    check: int = setting(whole(), "fresh draws that show what an edit changes and keeps", 500)
    seed: int = fields.seed("of both")
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
