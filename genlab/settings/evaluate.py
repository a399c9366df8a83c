"""The settings of `genlab evaluate`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import MOST, Kind, Settings, any_of, choice, setting, whole

FEWEST_PATHS = 10
_PATHS = Kind(
    lambda v: type(v) is int and (v == 0 or FEWEST_PATHS <= v <= MOST),
    f"a whole number, at least {FEWEST_PATHS}, or 0 for none",
    {"anyOf": [{"const": 0}, whole(FEWEST_PATHS).schema]},
)


@dataclass(frozen=True, kw_only=True)
class Evaluate(Settings):
    """Scores of a run on held-out images."""

    command = "evaluate"
    summary = "score a run on held-out images, with a stamp that says how"
    notes = """\
Autoencoders
  loss, reconstruction, code_penalty
                                  what training minimises and its parts, of codes drawn from
                                  their posterior where they have one
  mse, psnr                       squared error per pixel on [0, 1], and the same in dB, of the
                                  code's mean
  corrupted_mse, psnr_gain        the noisy input's error, and what restoring gained in dB
  elbo, kl, log_likelihood        in nats per image, where codes have a posterior: the lower
                                  bound on the log-likelihood and the KL in it, and the estimate
  mean_activation, active_share   mean size of the codes, and the share of them above .1
  active_units                    codes whose means vary by more than .01 over the images
  perplexity                      how many entries of a codebook are in use
  linear_probe/LABEL, nearest_neighbours/LABEL
                                  accuracy of a linear classifier and of 10 neighbours on codes
Generators
  frechet_distance, kernel_distance, precision, recall, density, coverage
  classifier_score/LABEL          exp of the information that images give about their class
                                  (inception_score with InceptionV3), beside that of real ones
  modes_covered, class_divergence kinds of images there are, and KL(generated || real) of them
  label_accuracy/LABEL            share of a conditional model's images that show their label
  ms_ssim                         multi-scale similarity of random pairs, beside that of real ones
  nearest_training_ratio, copies  distance to the nearest training image over that of held-out
                                  images, and the share suspiciously near (see
                                  evaluation_neighbours.png)
Models with styles, whose images have noise of their own when they are scored
  path_length/z, path_length/w    how much images change on short steps between two latents,
                                  and two styles; /z_end, /w_end: at the ends of the paths
  separability/z, separability/w  how well hyperplanes part what images show, 1 at best

Where count, probe_images, likelihood_images or memorisation_images are fewer than a split
has, images are drawn at random, the same ones for every run on the data set (draw_seed in the
stamp). Scores compare only where the stamps in evaluation.json are equal (see genlab compare).
"""

    run: str | None = fields.run()
    split: str = fields.split("the held-out part")
    count: int = fields.count(
        10_000, "generated images, and held-out images at most, drawn at random"
    )
    seed: int = fields.seed("of the latents")
    features: str = setting(
        choice("auto", "inception", "classifier", "none"),
        "inception (InceptionV3, the network of FID; pip install -e '.[inception]'), "
        "classifier (trained once on the data set's labels and cached), or auto: "
        "inception where its weights can be had, else classifier; none: no distances",
        "auto",
    )
    probe_images: int = setting(
        whole(), "training images that linear probe and nearest neighbours learn from", 10_000
    )
    memorisation_images: int = setting(
        whole(), "generated images whose nearest training images are looked for", 2000
    )
    path_samples: int = setting(
        _PATHS,
        "paths whose length is measured, of models with styles, and a tenth of the images"
        " that separability is measured on; at least 10, or 0 for neither",
        1000,
    )
    likelihood_images: int = setting(
        whole(), "held-out images whose log-likelihood is estimated", 500
    )
    likelihood_samples: int = setting(whole(), "with so many codes each", 100)
    out: str | None = fields.out("RUN/evaluation.json")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
    devices: Any = setting(
        any_of(choice("auto"), whole(1, 256)),
        "processes that share the making and seeing of images; auto: one for each GPU, "
        "one without; started by torchrun, as many as that starts",
        "auto",
    )
