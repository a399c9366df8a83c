"""The help of `genlab train`, written without Hydra so that it answers at once."""

from collections.abc import Sequence
from pathlib import Path

SUMMARY = "train a model and write everything about it to a run folder"
_TEXT = """\
genlab train: {summary}

usage: genlab train [GROUP=PAGE ...] [KEY=VALUE ...] [-m] [--cfg job] [--config-dir DIR]

Pages to select (GROUP=PAGE; `genlab models` and `genlab data` say what each is):

{groups}

Settings (KEY=VALUE, any value below; `genlab train model=vae --cfg job` shows a model's own
with what each is for, and with --resolve as they are at the run's scale; `genlab schema train
model=vae` is for editors):

  seed=0                      repeats the run exactly
  scale=laptop                small networks for CPUs; paper: those of the paper (GAN pages)
  total_images=1200000        length in images; max_minutes=5 stops after five minutes
  data.batch_size=64          images per step and process
  data.resolution=32          pixels; any source is resized
  trainer.accelerator=cpu     cpu, gpu, mps or auto; trainer.precision=bf16-mixed or 32-true
  evaluate.every_images=N     score samples while training, keep the best in best.safetensors
  checkpoint.every_images=N   save after N images (default: every two minutes)
  resume=last                 continue the newest run, or resume=PATH
  resume=auto                 continue what is in hydra.run.dir, start where nothing is
  hydra.run.dir=PATH          the run folder (default: runs/DATE_MODEL_DATA)

Examples:

  genlab train                                          faces by a DCGAN
  genlab train model=vae data=fashion_mnist             a variational autoencoder
  genlab train data=folder data.path=~/photos data.resolution=64
  genlab train -m model=vae,dcgan seed=1,2              four runs, one after another
  genlab train experiment=remedies                      what helps a GAN that collapses
  genlab train -m hydra/sweeper=optuna objective=evaluation/frechet_distance \\
      evaluate.every_images=20000 'model.rate=interval(0.2,5.0)'   a search
  genlab train resume=last total_images=2000000         train the newest run further

Powered by Hydra (https://hydra.cc): --hydra-help lists its own flags.
"""


def help_of_train(folders: Sequence[Path]) -> str:
    """The help text, with the names of all pages by group, of folders of pages."""
    groups: dict[str, set[str]] = {}
    for folder in folders:
        for page in folder.glob("*/*.yaml"):
            groups.setdefault(page.parent.name, set()).add(page.stem)
    lines = [f"{group}: {', '.join(sorted(groups[group]))}" for group in sorted(groups)]
    return _TEXT.format(summary=SUMMARY, groups="\n".join(lines)).rstrip()
