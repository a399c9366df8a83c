"""Train every autoencoder of the chapter on Fashion-MNIST and print what each of them reaches.

    python scripts/chapter.py [--out runs/chapter] [--pages linear_autoencoder tied_autoencoder ...]

Every row is `genlab train model=PAGE data=fashion_mnist seed=0` with the page's own settings and
then `genlab evaluate split=validation`. A page that is finished in the folder is not trained again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Metrics = dict[str, float]


class Row(NamedTuple):
    """A page of the table: what was published, and what to show of its metrics."""

    page: str
    published: str
    measured: Callable[[Metrics, dict[str, Metrics]], str]


def against(page: str) -> Callable[[Metrics, dict[str, Metrics]], str]:
    """The error, and its ratio to another page's."""

    def show(own: Metrics, others: dict[str, Metrics]) -> str:
        text = f"{own['mse']:.4f}"
        return (
            f"{text}, {own['mse'] / others[page]['mse']:.3f} of {page}" if page in others else text
        )

    return show


def errors(own: Metrics, others: dict[str, Metrics]) -> str:
    """The error alone."""
    return f"{own['mse']:.4f}"


def restored(own: Metrics, others: dict[str, Metrics]) -> str:
    """Before and after."""
    gain = f"PSNR +{own['psnr_gain']:.1f} dB"
    return f"{own['mse']:.4f}, noisy input {own['corrupted_mse']:.4f}, {gain}"


def sparse(own: Metrics, others: dict[str, Metrics]) -> str:
    """Error and activity."""
    mean, share = own["mean_activation"], own["active_share"]
    return f"{own['mse']:.4f}, mean activation {mean:.3f}, above .1: {share:.0%}"


def variational(own: Metrics, others: dict[str, Metrics]) -> str:
    """Error of drawn codes, KL, their sum per pixel, bound, likelihood and active codes."""
    error, kl = own["reconstruction"], own["kl"]
    return f"{error + kl / 784:.4f} = {error:.4f} + {kl:.1f}/784; {probable(own)}"


def likelihood(own: Metrics, others: dict[str, Metrics]) -> str:
    """Error, KL, bound, likelihood and active codes, where the error is not in the loss."""
    return f"{own['mse']:.4f}, KL {own['kl']:.1f} nats; {probable(own)}"


def probable(own: Metrics) -> str:
    """The bound on the likelihood, the likelihood and the codes in use."""
    return (
        f"ELBO {own['elbo']:.0f}, log p(x) {own['log_likelihood']:.0f} nats, "
        f"{own['active_units']:.0f} of {own['codes']:.0f} codes active"
    )


def quantised(own: Metrics, others: dict[str, Metrics]) -> str:
    """Error and use of the codebook."""
    return f"{own['mse']:.4f}, perplexity {own['perplexity']:.0f} of 256 entries"


ROWS = [
    Row("linear_autoencoder", "PCA", errors),
    Row("stacked_autoencoder", ".0132", errors),
    Row("tied_autoencoder", ".0133", against("stacked_autoencoder")),
    Row("greedy_autoencoder", ".0133", against("stacked_autoencoder")),
    Row("convolutional_autoencoder", ".0121", errors),
    Row("denoising_autoencoder", "", restored),
    Row("stacked_denoising_autoencoder", "", restored),
    Row("sparse_autoencoder", ".0099 with penalty", sparse),
    Row("sparse_autoencoder_l1", ".0111 with penalty", sparse),
    Row("vae_mlp", ".0311", variational),
    Row("vae", "", variational),
    Row("beta_vae", "", variational),
    Row("vae_annealed", "", variational),
    Row("vae_bernoulli", "", likelihood),
    Row("cvae", "", variational),
    Row("vae_gaussian", "", likelihood),
    Row("info_vae", "", variational),
    Row("wae", "", errors),
    Row("vq_vae", "", quantised),
]


def main() -> None:
    """Train, evaluate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs/chapter"))
    parser.add_argument("--pages", nargs="+", default=[row.page for row in ROWS])
    arguments = parser.parse_args()
    results: dict[str, Metrics] = {}
    print("| `model=` | published | measured | linear probe, 10 neighbours | minutes |")
    print("|---|---|---|---|---|")
    for row in ROWS:
        if row.page not in arguments.pages:
            continue
        folder = arguments.out / row.page
        summary = trained(row.page, folder, "data=fashion_mnist")
        own = results[row.page] = evaluated(folder)
        probes = f"{own['linear_probe/label']:.3f}, {own['nearest_neighbours/label']:.3f}"
        shown = row.measured(own, results)
        minutes = summary["seconds"] / 60
        print(
            f"| `{row.page}` | {row.published} | {shown} | {probes} | {minutes:.1f} |", flush=True
        )


def trained(page: str, folder: Path, *overrides: str) -> dict[str, Any]:
    """The summary of the page's run in `folder`, trained where it is not finished."""
    file = folder / "summary.json"
    if not file.exists():
        words = [f"model={page}", *overrides, f"hydra.run.dir={folder}"]
        genlab("train", *words, "resume=auto")
    return json.loads(file.read_text())


def evaluated(folder: Path) -> Metrics:
    """The run's scores on the validation part, bound and likelihood on the same images."""
    words = ["split=validation", "features=none", "likelihood_images=5000"]
    genlab("evaluate", f"run={folder}", *words)
    return json.loads((folder / "evaluation.json").read_text())["metrics"]


def genlab(*arguments: str) -> None:
    """Run the command line."""
    command = [sys.executable, "-m", "genlab", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
