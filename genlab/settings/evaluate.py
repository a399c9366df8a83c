"""The settings of `genlab evaluate`."""

from dataclasses import dataclass
from typing import Any

from genlab.settings import fields
from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import MOST, Kind, any_of, choice, whole

FEWEST_PATHS = 10
_PATHS = Kind(
    lambda v: type(v) is int and (v == 0 or FEWEST_PATHS <= v <= MOST),
    f"a whole number, at least {FEWEST_PATHS}, or 0 for none",
    {"anyOf": [{"const": 0}, whole(FEWEST_PATHS).schema]},
)


@dataclass(frozen=True, kw_only=True)
class Evaluate(Settings):
    """Scores a run on held-out images."""

    command = "evaluate"
    summary = "score a run on held-out images, with a stamp of how it was measured"
    notes = """\
Autoencoders
  loss, reconstruction, code_penalty
                                  the training loss and its parts; if codes have a posterior,
                                  for codes drawn from it
  mse, psnr                       squared error per pixel on [0, 1], and the same in dB, for the
                                  mean code
  corrupted_mse, psnr_gain        the error of the noisy input, and the gain by the model in dB
  elbo, kl, log_likelihood        in nats per image, if codes have a posterior: the lower
                                  bound on the log-likelihood and the KL in it, and the estimate
  mean_activation, active_share   mean size of the codes, and the share of them above .1
  active_units                    codes whose means vary by more than .01 over the images
  perplexity                      the effective number of codebook entries in use
  linear_probe/LABEL, nearest_neighbours/LABEL
                                  accuracy of a linear classifier and of 10 neighbours on codes
Generators
  frechet_distance, kernel_distance, precision, recall, density, coverage
  classifier_score/LABEL          exp of the mutual information of images and classes
                                  (inception_score with InceptionV3), also for real images
  modes_covered, class_divergence classes that occur, and KL(generated || real) of their shares
  label_accuracy/LABEL            share of a conditional model's images classified as their label
  ms_ssim                         multi-scale similarity of random pairs, also for real images
  nearest_training_ratio, copies  distance to the nearest training image over that of held-out
                                  images, and the share that is suspiciously near (see
                                  evaluation_neighbours.png)
Models with styles; each scored image has its own noise
  path_length/z, path_length/w    how much images change in small steps between two latents, or
                                  two styles; /z_end, /w_end: at the ends of the paths
  separability/z, separability/w  how well hyperplanes separate attributes, 1 at best

If count, probe_images, likelihood_images or memorisation_images are fewer than a split has, images
are drawn at random, the same ones for every run on the data set (draw_seed in the stamp). Scores
are comparable only if the stamps in evaluation.json are equal (see genlab compare).
"""

    run: str | None = fields.run()
    split: str = fields.split("the held-out part")
    count: int = fields.count(
        10_000, "number of generated images, and at most as many held-out images, drawn at random"
    )
    seed: int = fields.seed("of the latents")
    features: str = setting(
        choice("auto", "inception", "classifier", "none"),
        "inception (InceptionV3, the network of FID; pip install -e '.[inception]'), "
        "classifier (trained once on the data set's labels and cached), or auto: "
        "inception if its weights are available, else classifier; none: no distances",
        "auto",
    )
    probe_images: int = setting(
        whole(), "training images for linear probe and nearest neighbours", 10_000
    )
    memorisation_images: int = setting(
        whole(), "generated images whose nearest training images are searched for", 2000
    )
    path_samples: int = setting(
        _PATHS,
        "for models with styles: paths to measure lengths on, and a tenth of the images for "
        "separability; at least 10, or 0 for neither",
        1000,
    )
    likelihood_images: int = setting(
        whole(), "held-out images to estimate the log-likelihood of", 500
    )
    likelihood_samples: int = setting(whole(), "codes for each of them", 100)
    out: str | None = fields.out("RUN/evaluation.json")
    overwrite: bool = fields.overwrite()
    batch_size: int = fields.batch_size()
    accelerator: str = fields.accelerator()
    devices: Any = setting(
        any_of(choice("auto"), whole(1, 256)),
        "processes that share the work on images; auto: one for each GPU, one without a GPU; "
        "torchrun sets its own number",
        "auto",
    )
