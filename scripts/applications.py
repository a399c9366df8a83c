"""Train the applications over several seeds and print what they gain over a naive baseline.

    python scripts/applications.py [--seeds 0 1 2] [--only super_resolution inpainting ...]

Every row is `genlab train` with the settings below and then `genlab evaluate`; values are means
and deviations over seeds, on test images. A run that is finished in the folder is not trained
again. The classical inpainting is OpenCV's (`pip install opencv-python-headless`).
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from chapter import genlab, trained

from genlab.data.stream import on_device
from genlab.learners.learner import seed_noise
from genlab.metrics import psnr, squared_error
from genlab.metrics.reconstruction import ssim
from genlab.pixels import normalise
from genlab.runs.loaded import load_run

FACES = ("data=avatars", "data.resolution=64")
GARMENTS = ("data=fashion_mnist",)
Scores = dict[str, float]


class Application(NamedTuple):
    """A page with settings, and pairs of metrics: what it reaches and the baseline's."""

    words: Sequence[str]
    compared: Sequence[tuple[str, str]]


PIXELS = (("psnr", "naive_psnr"), ("ssim", "naive_ssim"))
TELEA = (("psnr", "telea_psnr"), ("ssim", "telea_ssim"))


def distances(direction: str, kinds: Sequence[str] = ("perceptual", "frechet")) -> list:
    """The metrics of a direction after and before."""
    return [
        (f"{kind}_distance/{direction}", f"{kind}_distance/before/{direction}") for kind in kinds
    ]


APPLICATIONS = {
    "super_resolution": Application(
        ("model=srgan", *GARMENTS, "total_images=100_000"), (*PIXELS, *distances("upscaled"))
    ),
    "content_only": Application(
        ("model=srgan", *GARMENTS, "total_images=100_000", "model.adversarial=0"),
        (*PIXELS, *distances("upscaled")),
    ),
    "inpainting": Application(
        ("model=context_encoder", *FACES, "total_images=10_000"),
        (*PIXELS, *TELEA, *distances("filled")),
    ),
    "inpainting_free_form": Application(
        ("model=context_encoder", *GARMENTS, "total_images=30_000", "model.view.kind=free_form"),
        (*PIXELS, *TELEA, *distances("filled")),
    ),
    "outline_to_face": Application(
        ("model=pix2pix", *FACES, "total_images=10_000"), (*PIXELS, *distances("painted"))
    ),
    "grey_to_colour": Application(
        ("model=pix2pix", "view=grey", *FACES, "total_images=5_000"),
        (*PIXELS, *distances("coloured")),
    ),
    "unpaired": Application(
        ("model=cyclegan", "total_images=10_000"),
        (
            *distances("pixel-art_to_open-peeps", ["frechet"]),
            *distances("open-peeps_to_pixel-art", ["frechet"]),
            ("cycle_psnr", ""),
        ),
    ),
}


def main() -> None:
    """Train, evaluate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs/applications"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=list(APPLICATIONS), choices=APPLICATIONS)
    parser.add_argument("--set", nargs="+", default=[], help="further settings, KEY=VALUE")
    arguments = parser.parse_args()
    print("| application | metric | model | baseline | minutes |\n|---|---|---|---|---|")
    for name in arguments.only:
        application = APPLICATIONS[name]
        found, minutes = [], []
        for seed in arguments.seeds:
            folder = arguments.out / f"{name}_{seed}"
            page, *words = application.words
            summary = trained(
                page.removeprefix("model="), folder, f"seed={seed}", *words, *arguments.set
            )
            minutes.append(summary["seconds"] / 60)
            found.append(evaluated(folder, name.startswith("inpainting")))
        for ours, theirs in application.compared:
            print(
                f"| {name} | {ours} | {shown([scores[ours] for scores in found])} | "
                f"{shown([scores[theirs] for scores in found]) if theirs else ''}"
                f"{f' ({theirs})' if theirs else ''} | {statistics.mean(minutes):.1f} |",
                flush=True,
            )


def shown(values: Sequence[float]) -> str:
    """Mean and deviation."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.4g} ± {deviation:.2g}"


def evaluated(folder: Path, classical: bool) -> Scores:
    """The run's scores on the test part, with OpenCV's where holes are filled."""
    path = folder / "evaluation.json"
    if not path.exists():
        genlab("evaluate", f"run={folder}", "features=classifier")
    scores: Scores = json.loads(path.read_text())["metrics"]
    return scores | (telea(folder) if classical else {})


def telea(folder: Path, batch_size: int = 250) -> Scores:
    """What Telea's fast marching reaches in the same holes (Telea 2004)."""
    loaded = load_run(str(folder), "cpu")
    view = loaded.learner.view
    measured: dict[str, list[torch.Tensor]] = {"telea_psnr": [], "telea_ssim": []}
    for number, batch in enumerate(loaded.data.held_out("test", batch_size)):
        seed_noise(number)  # the holes of genlab evaluate
        images, _ = on_device(batch, loaded.device)
        prepared = loaded.learner.prepare(images)
        holes = (view(prepared)[:, -1] > 0).byte().numpy()
        made = [
            cv2.inpaint(np.ascontiguousarray(picture.squeeze()), hole, 3, cv2.INPAINT_TELEA)
            for picture, hole in zip(images.permute(0, 2, 3, 1).numpy(), holes, strict=True)
        ]
        filled = torch.from_numpy(np.stack(made)).view(len(made), *images.shape[2:], -1)
        pictures = normalise(filled.permute(0, 3, 1, 2))
        measured["telea_psnr"].append(psnr(squared_error(pictures, prepared)))
        similarity = ssim(pictures, prepared)
        assert similarity is not None
        measured["telea_ssim"].append(similarity)
    return {name: float(torch.cat(values).mean()) for name, values in measured.items()}


if __name__ == "__main__":
    main()
