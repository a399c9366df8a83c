"""`genlab score`: how strange images are to a model of normal ones."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.artefacts.figures import new_figure, rendered
from genlab.artefacts.files import write_csv, write_text
from genlab.artefacts.grids import beside
from genlab.artefacts.pictures import grid, save_png
from genlab.data.stream import Batch, on_device, take
from genlab.errors import ConfigError
from genlab.learners.abilities import EstimatesLikelihood, Reconstructs
from genlab.learners.learner import seed_noise
from genlab.metrics import squared_error
from genlab.opened import Opened, open_run
from genlab.pixels import to_uint8
from genlab.verbs.files import each, listed
from genlab.verbs.held_out import condition_of, positions
from genlab.verbs.output import destination, positive
from genlab.words import one_of

log = logging.getLogger(__name__)

WAYS = ("reconstruction", "likelihood")
SHOWN = 24  # of the strangest images, a multiple of 3


class Scored(NamedTuple):
    """Scores (N,), the higher the stranger, with images and what is made of them, (N, C, H, W)."""

    scores: Tensor
    images: Tensor
    pictures: Tensor


class Detection(NamedTuple):
    """How well scores tell strange images; by luck 0.5, and the share of strange ones."""

    auroc: float
    average_precision: float


def run(config: dict[str, Any]) -> None:
    """Score files or held-out images, write."""
    one_of("by", config["by"], WAYS)
    for key in ("batch_size", "samples", "count"):
        positive(config[key], key)
    opened = open_run(config["run"], config["accelerator"])
    score = _scorer(opened, config)
    image_set = opened.data.image_set
    validation = opened.data.indices("validation")[: config["count"]]
    if not len(validation):
        raise ConfigError("scores are compared with the validation part, which this run has not")
    normal = _scored(score, _batches(opened, validation, config["batch_size"])).scores
    if config["image"] is not None:
        if condition_of(opened):
            raise ConfigError("this model is told labels, which files do not have: use split=test")
        files, pictures = zip(
            *each(listed(config["image"], "image"), image_set.channels, image_set.resolution),
            strict=True,
        )
        batches = opened.batches(Batch(torch.stack(pictures), {}), config["batch_size"])
        name = f"scores_{config['by']}_files{opened.folder.tag}"
        _write(opened, config, name, _scored(score, batches), normal, [str(f) for f in files])
        return
    chosen = positions(opened, config["split"])[: config["count"]]
    found = _scored(score, _batches(opened, chosen, config["batch_size"]))
    name = f"scores_{config['by']}_{config['split']}{opened.folder.tag}"
    names = [f"{config['split']} {number}" for number in range(len(chosen))]
    path = _write(opened, config, name, found, normal, names)
    if opened.data.leave_out:
        strange = opened.data.left_out(chosen)
        _detected(opened, config, path, found, strange)


def _scorer(opened: Opened, config: dict[str, Any]) -> Callable[[Batch], tuple[Tensor, Tensor]]:
    """Of a batch on the device scores (B,) and pictures (B, C, H, W).

    By the squared error of the reconstruction, a mean over pixels on [0, 1]; or by minus the
    log-likelihood in nats (the idea of An & Cho 2015, "Variational Autoencoder based Anomaly
    Detection using Reconstruction Probability", with the estimate of `log_likelihood`).
    """
    learner = opened.require(Reconstructs, "does not rebuild images: train an autoencoder")
    if config["by"] == "likelihood":
        opened.require(EstimatesLikelihood, "knows no likelihoods: use by=reconstruction")

    def score(batch: Batch) -> tuple[Tensor, Tensor]:
        images = learner.prepare(batch.images)
        pictures = learner.reconstruct(images, batch.labels)
        if config["by"] == "reconstruction":
            return squared_error(pictures, images), pictures
        likelihood = learner.log_likelihood(images, batch.labels, config["samples"])
        if likelihood is None:
            raise ConfigError("by=likelihood: this model's codes have no posterior: train a VAE")
        return -likelihood, pictures

    return score


def _batches(opened: Opened, indices: np.ndarray, batch_size: int) -> Iterator[Batch]:
    for start in range(0, len(indices), batch_size):
        batch = take(opened.data.image_set, indices[start : start + batch_size])
        yield on_device(batch, opened.device)


def _scored(score: Callable[[Batch], tuple[Tensor, Tensor]], batches: Iterator[Batch]) -> Scored:
    parts = []
    for number, batch in enumerate(batches):
        seed_noise(number)  # of codes: the same in every run of the command
        scores, pictures = score(batch)
        parts.append((scores.double().cpu(), batch.images.cpu(), to_uint8(pictures).cpu()))
    return Scored(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _write(
    opened: Opened,
    config: dict[str, Any],
    name: str,
    found: Scored,
    normal: Tensor,
    names: Sequence[str],
) -> Path:
    """The table, strangest first, and a picture of the strangest."""
    order = found.scores.argsort(descending=True)
    below = torch.searchsorted(normal.sort().values, found.scores) / len(normal)
    path = destination(config["out"], opened.folder, name, ".csv", "scores")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [[names[i], f"{found.scores[i]:.8g}", f"{below[i]:.4f}"] for i in order.tolist()]
    write_csv(path, [["image", "score", "share_of_normal_below"], *rows])
    for row in rows[:5] if len(rows) > 5 else rows:
        log.info("%s: score %s, above %s of the validation images", *row)
    save_png(_sheet(found, order[:SHOWN], config["by"]), path.with_suffix(".png"))
    log.info("wrote %s and .png", path)
    return path


def _sheet(found: Scored, chosen: Tensor, by: str) -> Image.Image:
    """Images beside their reconstructions and where the two differ."""
    images, pictures = found.images[chosen], found.pictures[chosen]
    apart = (images.short() - pictures.short()).abs().amax(1, keepdim=True)
    errors = 255 - apart.to(torch.uint8).expand_as(images)
    caption = f"the strangest by {by}: image, reconstruction, difference"
    return grid(beside(images, pictures, errors), 9, caption)


def _detected(
    opened: Opened, config: dict[str, Any], path: Path, found: Scored, strange: np.ndarray
) -> None:
    """How well scores tell the classes that were left out, beside a baseline without a model.

    The baseline is the squared distance to the mean training image.
    """
    if strange.all() or not strange.any():
        raise ConfigError("data.leave_out: the scored images are all of one kind; use split=test")
    training = opened.data.indices("train")[: config["count"]]
    mean = take(opened.data.image_set, training).images.float().mean(0)
    distances = (found.images - mean).square().flatten(1).mean(1)
    told = {"model": found.scores.numpy(), "mean_image": distances.numpy()}
    results = {name: detection(scores, strange) for name, scores in told.items()}
    metrics: dict[str, float] = {}
    for name, result in results.items():
        for key, value in result._asdict().items():
            metrics[f"{key}/{name}"] = value
            log.info("%-30s %.4f", f"{key}/{name}", value)
    stamp = {
        "by": config["by"],
        "left_out": opened.data.leave_out,
        "images": len(strange),
        "strange": int(strange.sum()),
    }
    report = path.with_suffix(".json")
    write_text(report, json.dumps({"metrics": metrics, "stamp": stamp}, indent=2) + "\n")
    picture = path.with_name(f"{path.stem}_histogram.png")
    save_png(histogram(found.scores.numpy(), strange, results["model"].auroc), picture)
    log.info("wrote %s and %s", report, picture)


def detection(scores: np.ndarray, strange: np.ndarray) -> Detection:
    """Of scores (N,) against what is strange, bool (N,)."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    return Detection(
        float(roc_auc_score(strange, scores)), float(average_precision_score(strange, scores))
    )


def histogram(scores: np.ndarray, strange: np.ndarray, auroc: float) -> Image.Image:
    """The scores of normal and of strange images, each as shares."""
    figure = new_figure(6.0, 3.2)
    plot = figure.add_subplot()
    edges = np.histogram_bin_edges(scores, 60, (scores.min(), np.quantile(scores, 0.995)))
    for name, chosen in (("trained on", ~strange), ("left out", strange)):
        values = np.clip(scores[chosen], edges[0], edges[-1])
        weights = np.full(len(values), 1 / len(values))
        plot.hist(values, list(edges), weights=weights, alpha=0.6, label=name)
    plot.set_xlabel("score")
    plot.set_ylabel("share of images")
    plot.set_title(f"area under the ROC curve {auroc:.3f}", fontsize=10)
    plot.legend()
    return rendered(figure)
