"""`genlab score`: anomaly scores of images, by an autoencoder trained on normal ones."""

import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import genlab
from genlab.commands import inputs
from genlab.commands.evaluate import weights_stamp
from genlab.commands.loading import IMAGE, load_run_for
from genlab.commands.outputs import destinations
from genlab.console import print_table
from genlab.data.stream import Batch
from genlab.drawing.charts import histogram
from genlab.drawing.image_grid import grid, save_png, with_caption, with_row_captions
from genlab.errors import ConfigError
from genlab.evaluation.anomaly_scores import (
    ScoredImages,
    distance_to_mean,
    negative_log_likelihood,
    normal_scores,
    score_split,
)
from genlab.evaluation.normal_scores import ScoreFunction, reconstruction_error, scores_of
from genlab.io.files import write_csv, write_text
from genlab.learners.abilities import Reconstructs
from genlab.learners.learner import seed_noise
from genlab.metrics import detection, share_below, threshold
from genlab.pixels import normalise, to_uint8
from genlab.runs.held_out import choose, condition_of, positions
from genlab.runs.loaded import LoadedRun
from genlab.settings.score import Score
from genlab.words import counted, readable

log = logging.getLogger(__name__)


def run(settings: Score) -> None:
    """Score images, compare them with normal ones, write."""
    loaded = load_run_for(settings, IMAGE if settings.image is None else "")
    loaded.require(Reconstructs, "does not reconstruct images: choose the run of an autoencoder")
    by = "reconstruction" if settings.by == "auto" else settings.by
    by_codes = by == "likelihood"
    score = (
        negative_log_likelihood(loaded, settings.samples)
        if by_codes
        else reconstruction_error(loaded)
    )
    name = f"{by}_{settings.split if settings.image is None else 'images'}{loaded.folder.tag}"
    if settings.image is not None:
        paths = _paths(loaded, settings, name, [".csv", ".png"])
        scored = _score_files(loaded, score, settings)
    else:
        indices = _chosen_positions(loaded, settings)
        left_out = loaded.data.left_out(indices)
        more = [".json", "_histogram.png"] if left_out.any() and not left_out.all() else []
        paths = _paths(loaded, settings, name, [".csv", ".png", *more])
        scored = score_split(loaded, score, indices, settings)
    order = scored.scores.argsort(descending=True, stable=True).tolist()
    normal = normal_scores(loaded, score, by, settings)
    _write_table(scored, order, normal, settings, paths[".csv"])
    save_png(_anomaly_sheet(loaded, scored, order[: settings.show]), paths[".png"])
    if ".json" in paths:
        _write_detection(loaded, scored.scores, by, indices, left_out, settings, paths)
    for path in paths.values():
        log.info("wrote %s", path)


def _score_files(loaded: LoadedRun, score: ScoreFunction, settings: Score) -> ScoredImages:
    """Score the images that `image` names, by their paths."""
    if condition_of(loaded):
        raise ConfigError(
            "image=: this model needs labels, which image files do not have: use split="
        )
    paths = inputs.listed(settings.image, "image", settings.out)
    found: list[Path] = []
    scores = []
    seed_noise(settings.seed)
    for some, images in inputs.batches(paths, loaded.config.data, settings.batch_size):
        found += some
        scores.append(score(Batch(images, {})))

    read = inputs.reader(loaded.config.data)

    def load_images(places: Sequence[int]) -> Batch:
        return Batch(torch.stack([read(found[place]) for place in places]), {})

    return ScoredImages([readable(path) for path in found], torch.cat(scores), {}, load_images)


def _paths(
    loaded: LoadedRun, settings: Score, name: str, suffixes: Sequence[str]
) -> dict[str, Path]:
    """A file for each suffix; ConfigError if one exists and may not be overwritten."""
    own = settings.image is None
    return destinations(settings, loaded.folder, name, suffixes, "scores", own)


def _chosen_positions(loaded: LoadedRun, settings: Score) -> np.ndarray:
    """Positions of images of the split: all, or `count` drawn with the seed."""
    if settings.count is None:
        return positions(loaded, settings.split)
    count = settings.count
    return choose(loaded, settings.split, count, settings.seed)


def _write_table(
    scored: ScoredImages, order: Sequence[int], normal: Tensor | None, settings: Score, path: Path
) -> None:
    """Write a row for each image, the highest score first, and print the first rows."""
    shares = None if normal is None else share_below(scored.scores, normal).tolist()
    limit = math.inf if normal is None else threshold(normal, settings.false_alarms)
    header = ["name", "score", "share_of_normal_below", "strange", *scored.classes]
    rows = [
        [
            scored.names[place],
            f"{scored.scores[place].item():.6g}",
            None if shares is None else f"{shares[place]:.4f}",
            None if shares is None else ("yes" if scored.scores[place] > limit else "no"),
            *(kinds[place] for kinds in scored.classes.values()),
        ]
        for place in order
    ]
    write_csv(path, [header, *rows])
    print_table(header, [[cell or "" for cell in row] for row in rows[: settings.show]])
    if normal is not None:
        log.info(
            "threshold %.6g, above which are at most %.3g%% of %s: %s",
            limit,
            100 * settings.false_alarms,
            counted(len(normal), "normal image"),
            counted(int((scored.scores > limit).sum()), "strange image"),
        )
    if len(rows) > settings.show:
        log.info("and %s more", f"{len(rows) - settings.show:,}")


def _anomaly_sheet(loaded: LoadedRun, scored: ScoredImages, places: Sequence[int]) -> Image.Image:
    """Rows of an image, its reconstruction and the squared error of each pixel."""
    learner: Any = loaded.learner
    batch = scored.load_images(places)
    (given,) = loaded.batches(batch, len(places))
    made = to_uint8(learner.reconstruct(learner.prepare(given.images), given.labels)).cpu()
    # On [0, 1], the mean over colours.
    errors = ((normalise(made) - normalise(batch.images)) / 2).square().mean(1, keepdim=True)
    highest = errors.amax().clamp(min=1e-12)
    maps = (errors / highest * 255).round().to(torch.uint8).expand_as(batch.images)
    sheet = grid(torch.stack([batch.images, made, maps], 1).flatten(0, 1), 3)
    captions = [f"{Path(scored.names[place]).name}: {scored.scores[place]:.4g}" for place in places]
    caption = f"image, reconstruction and squared error (white: {highest:.2f}), strangest first"
    return with_caption(with_row_captions(sheet, captions), caption)


def _write_detection(
    loaded: LoadedRun,
    scores: Tensor,
    by: str,
    indices: np.ndarray,
    left_out: np.ndarray,
    settings: Score,
    paths: dict[str, Path],
) -> None:
    """Write how well the scores detect classes left out of training, and those of a baseline."""
    truth = torch.from_numpy(left_out)
    naive = distance_to_mean(loaded, loaded.data.indices("train"), settings.batch_size)
    found = detection(scores, truth)
    distances = scores_of(loaded, naive, indices, settings.seed, settings.batch_size)
    baseline = detection(distances, truth)
    metrics = found._asdict() | {f"baseline_{k}": v for k, v in baseline._asdict().items()}
    stamp = {
        "by": by,
        "samples": settings.samples if by == "likelihood" else None,
        "split": settings.split,
        "left_out": loaded.config.data.leave_out,
        "left_out_images": int(left_out.sum()),
        "kept_images": int((~left_out).sum()),
        "baseline": "squared distance to the mean training image",
        "data": loaded.data.source.fingerprint(),
        "weights": weights_stamp(loaded),
        "genlab": genlab.__version__,
    }
    write_text(paths[".json"], json.dumps({"metrics": metrics, "stamp": stamp}, indent=2) + "\n")
    unit = "-log p(x) in nats" if by == "likelihood" else "squared error per pixel"
    groups = {"kept classes": scores[~truth].tolist(), "left out": scores[truth].tolist()}
    save_png(histogram(groups, unit), paths["_histogram.png"])
    for name, value in metrics.items():
        log.info("%-28s %.4f", name, value)
