"""The settings of `genlab edit`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import NUMBER, SEEDS, TEXT, any_of, choice, several, whole


@dataclass(frozen=True, kw_only=True)
class Edit(Settings):
    """Edits images along directions of the latent space, and by sums of codes."""

    command = "edit"
    summary = "edit attributes of generated images, by directions in the latent space or by sums"
    usage = (
        "run=last|PATH direction=WORD [KEY=VALUE ...]",
        'run=last|PATH "with_LABEL - without_LABEL + SEED" [KEY=VALUE ...]',
    )
    notes = """\
The terms of a sum have spaces around + and -, and may have factors (1.5*with_hat):
  with_LABEL, without_LABEL          the mean code of images with it, and without (class none)
  LABEL:CLASS, not_LABEL:CLASS       the mean code of images of a class, and of all others
  7                                  the code of the seed 7
A set differs from all other images in its own label alone, not in attributes that are correlated
with it: the direction between them, a function of the code, is learned with a classifier of the
data set's labels that was trained on noisy images. After the move along it each code is refined by
itself, so that its image has the attribute, and keeps its other labels, and the pixels that the
direction changes little. A second classifier measures what images show. Both are trained once and
cached.

A JSON file beside the images has the effect of the edit on new images that do not have the
attribute yet: `flipped`, the share that has it afterwards (`flipped_through_noise`: according to
the classifier of noisy images), and `kept/LABEL`, the share in which another label (with or
without, or which of two classes) is unchanged.

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
        "what to change: LABEL (present or not), LABEL:CLASS (hair:long), pca (directions of "
        "most variance of codes, GANSpace), factorised (directions that the layers of a "
        "StyleGAN amplify most, SeFa)",
        None,
        "glasses",
    )
    expression: str | None = setting(
        TEXT.or_null, 'the same as "SUM" without a key, see below', None, "SUM"
    )
    strengths: Any = setting(
        any_of(choice("auto"), several(NUMBER, "numbers", "[-2,0,2]", least=1)),
        "columns of the strip, as [-2,0,2]: for a label multiples of its direction, for "
        "components standard deviations of codes along them; auto: up to 1.5 times the "
        "strength that changes 85% of images, or from -3 to 3",
        "auto",
    )
    strength: Any = setting(
        any_of(choice("auto"), NUMBER),
        "the factor of the sets of a sum; auto is the smallest strength that changes 85% of "
        "images, with and without noise",
        "auto",
    )
    settle: int = setting(
        whole(0), "steps of Adam that refine each result of a sum by itself; 0 for none", 350
    )
    seeds: Any = setting(SEEDS, "images to edit, one row each: a range, or a list [3,5]", "0-7")
    count: int = fields.count(8, "components, of pca and factorised")
    codes: int = setting(whole(), "random codes that directions are learned from", 4000)
    check: int = setting(whole(), "new random codes that the effect is measured on", 500)
    seed: int = fields.seed("of the random codes")
    out: str | None = fields.out("the folder RUN/generated")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
