"""Train every GAN on Fashion-MNIST for the same time and print how good its pictures are.

    python scripts/gans.py [--minutes 10] [--images N] [--seeds 0 1 2] [--pages dcgan wgan_gp ...]

Every row is `genlab train model=PAGE data=fashion_mnist scale=laptop seed=SEED` with the page's own
settings, for so many minutes or images, and then `genlab evaluate features=classifier`: 10 000
samples and the 10 000 test images. A run that is finished in the folder is not trained again.
"""

import argparse
import json
from pathlib import Path

from chapter import genlab, trained

PAGES = (
    "gan",
    "dcgan",
    "dcgan_minimax",
    "lsgan",
    "wgan",
    "wgan_gp",
    "dragan",
    "sngan",
    "r3gan",
    "cgan",
    "acgan",
    "progan",
    "stylegan",
    "stylegan2",
)
LONG = 10**9  # images that no run reaches before its minutes are over
COLUMNS = ("frechet_distance", "precision", "recall", "coverage", "modes_covered")


def main() -> None:
    """Train, evaluate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs/gans"))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--images", type=int, default=LONG, help="instead of minutes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--pages", nargs="+", default=PAGES)
    parser.add_argument("--set", nargs="+", default=[], help="further settings, KEY=VALUE")
    arguments = parser.parse_args()
    length = [f"total_images={arguments.images}"]
    if arguments.images == LONG:
        length += [f"max_minutes={arguments.minutes}"]
    print("| `model=` | seed |", " | ".join(COLUMNS), "| images | minutes | warnings |")
    print("|" + "---|" * (len(COLUMNS) + 5))
    for page in arguments.pages:
        for seed in arguments.seeds:
            folder = arguments.out / f"{page}_{seed}"
            words = ["data=fashion_mnist", "scale=laptop", f"seed={seed}", *length, *arguments.set]
            summary = trained(page, folder, *words)
            genlab("evaluate", f"run={folder}", "features=classifier")
            metrics = json.loads((folder / "evaluation.json").read_text())["metrics"]
            scores = " | ".join(f"{metrics[name]:.3g}" for name in COLUMNS)
            found = ", ".join(each["finding"].split(":")[0] for each in summary["diagnosis"])
            print(
                f"| `{page}` | {seed} | {scores} | {summary['images_seen']:,} | "
                f"{summary['seconds'] / 60:.1f} | {found or 'none'} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
