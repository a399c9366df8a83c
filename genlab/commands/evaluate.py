"""`genlab evaluate`: scores on held-out images, with a stamp that says how they came about."""

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

import genlab
from genlab.callbacks.validation import summed
from genlab.commands.opening import open_asked
from genlab.commands.outputs import destination
from genlab.console import log_to
from genlab.data.image_set import DRAW_SEED, drawn
from genlab.data.stream import on_device, take
from genlab.editing.attributes import judge_of
from genlab.editing.path_length import path_scores
from genlab.errors import ConfigError
from genlab.evaluation.distances import distances_of
from genlab.evaluation.feature_networks import CHOICES
from genlab.io.files import write_text
from genlab.learners.abilities import Encodes, EstimatesLikelihood, Generates, Measures
from genlab.learners.learner import seed_noise
from genlab.metrics import (
    FeaturesUnavailable,
    active_units,
    activity,
    linear_probe,
    nearest_neighbours,
    perplexity,
    state_sha256,
)
from genlab.processes import children, launch
from genlab.runs.loaded import Opened
from genlab.training.settings import counted
from genlab.words import one_of

log = logging.getLogger(__name__)

FEWEST_PATHS = 10


def run(config: dict[str, Any]) -> None:
    """Measure, print, write; several processes share the making and seeing of pictures."""
    # Single precision, as the stamp says: not what GPUs round it to by default.
    torch.backends.cudnn.allow_tf32 = False
    count, batch_size = config["count"], config["batch_size"]
    one_of("features", config["features"], (*CHOICES, "none"))
    paths = config["path_samples"]
    if not isinstance(paths, int) or 0 != paths < FEWEST_PATHS:
        raise ConfigError(
            f"path_samples={paths} must be a whole number, at least {FEWEST_PATHS}, or 0 for none"
        )
    opened = open_asked(config)
    processes = counted(config["devices"], opened.device.type, "devices")
    if processes > 1 and not launch.launched():
        _several(opened, config, processes)
        return
    stamp: dict[str, Any] = {
        "split": config["split"],
        "draw_seed": DRAW_SEED,  # of the images, where only some of a split are looked at
        "data": opened.data.source.fingerprint(),
        "weights": weights_stamp(opened),
        "genlab": genlab.__version__,
    }
    metrics: dict[str, float] = {}
    path = opened.folder.evaluation
    if config["out"]:
        path = destination(config["out"], opened.folder, path.stem, path.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
    distances: dict[str, float] = {}
    if config["features"] != "none":
        try:
            distances = distances_of(opened, config, stamp, path)
        except FeaturesUnavailable as error:
            if config["features"] != "auto":
                raise
            log.warning("no distances: %s", error)
            stamp["no_distances"] = str(error)
    if launch.rank() > 0:  # the first process does the rest
        return
    if isinstance(opened.learner, Measures):
        metrics |= _measures(opened, config["split"], count, batch_size, stamp)
    if isinstance(opened.learner, EstimatesLikelihood):
        metrics |= _likelihood(opened, config, stamp)
    if isinstance(opened.learner, Encodes):
        metrics |= _codes(opened, config, count, batch_size, stamp)
    metrics |= distances
    if paths:
        metrics |= _paths(opened, config, stamp)
    write_text(path, json.dumps({"metrics": metrics, "stamp": stamp}, indent=2) + "\n")
    for name, value in metrics.items():
        log.info("%-28s %.5g", name, value)
    log.info("wrote %s", path)


def _several(opened: Opened, config: dict[str, Any], processes: int) -> None:
    """The same in so many processes."""
    folder = opened.folder
    run = folder.weights if folder.tag else folder.path  # "last" may soon be another one
    with tempfile.TemporaryDirectory() as reports:
        children.run_processes(
            ["genlab.commands.evaluate", json.dumps({**config, "run": str(run)}), reports],
            processes,
            Path(reports),
            again="run the command again, or with devices=1",
            stopped=lambda: "stopped",
        )


def main() -> None:
    """Entry of one of several processes: `python -m genlab.commands.evaluate CONFIG REPORTS`."""
    config, reports = json.loads(sys.argv[1]), Path(sys.argv[2])
    with children.reporting(reports), log_to(None, on_console=True, quiet=launch.rank() > 0):
        run(config)


def _measures(
    opened: Opened, split: str, count: int, batch_size: int, stamp: dict[str, Any]
) -> dict[str, float]:
    """The means of what the learner measures."""
    sums, images = summed(opened.learner, opened.data.held_out(split, batch_size, count))
    stamp["measured_images"] = images
    return {name: value / images for name, value in sums.items()}


def _likelihood(opened: Opened, config: dict[str, Any], stamp: dict[str, Any]) -> dict[str, float]:
    """The importance-weighted log-likelihood in nats per image, where codes have a posterior."""
    images, samples = config["likelihood_images"], config["likelihood_samples"]
    learner: Any = opened.learner
    total, seen = 0.0, 0
    seed_noise(config["seed"])
    for batch in opened.data.held_out(config["split"], config["batch_size"], images):
        pictures, labels = on_device(batch, opened.device)
        estimate = learner.log_likelihood(learner.prepare(pictures), labels, samples)
        if estimate is None:
            return {}
        total += estimate.double().sum().item()
        seen += len(pictures)
    stamp |= {"likelihood_images": seen, "likelihood_samples": samples}
    return {"log_likelihood": total / seen}


def _codes(
    opened: Opened, config: dict[str, Any], count: int, batch_size: int, stamp: dict[str, Any]
) -> dict[str, float]:
    """What the codes of the split are good for, with codes of the training part to learn from."""
    data = opened.data
    known = take(data.image_set, drawn(data.indices("train"), config["probe_images"]))
    asked = take(data.image_set, drawn(data.indices(config["split"]), count))
    known_codes = opened.codes(known, batch_size)["values"]
    code = opened.codes(asked, batch_size)
    codes = code["values"]
    mean_activation, active_share = activity(codes)
    scores: dict[str, float] = {
        "codes": codes.shape[1],
        "mean_activation": mean_activation,
        "active_share": active_share,
    }
    if "mean" in code:
        scores["active_units"] = active_units(code["mean"])
    if "indices" in code:
        scores["perplexity"] = perplexity(code["indices"])
    for name, labels in asked.labels.items():
        told = known.labels[name]
        scores[f"linear_probe/{name}"] = linear_probe(known_codes, told, codes, labels)
        scores[f"nearest_neighbours/{name}"] = nearest_neighbours(known_codes, told, codes, labels)
    stamp["probe_images"] = len(known_codes)
    return scores


def _paths(opened: Opened, config: dict[str, Any], stamp: dict[str, Any]) -> dict[str, float]:
    """Path lengths and separability of latents and styles, in the classifier's features.

    The network of distances takes whole grey levels, and pictures a ten-thousandth of a path apart
    have the same ones; the classifier takes pictures as they are made.
    """
    count = config["path_samples"]
    if not isinstance(opened.learner, Generates) or opened.learner.styles is None:
        return {}
    try:
        judge = judge_of(opened)
    except FeaturesUnavailable as error:
        log.warning("no path lengths: %s", error)
        return {}
    scores = path_scores(opened, judge, count, config["seed"], config["batch_size"])
    stamp |= {"path_samples": count, "path_features": judge.network.name}
    return scores


def weights_stamp(opened: Opened) -> dict[str, Any]:
    """Which weights they are, and how they compute."""
    return {
        "sha256": state_sha256(opened.learner.exported),
        "images_seen": opened.learner.images_seen,
        "ema_half_life_images": opened.config["model"].get("ema_half_life_images"),
        "batch_statistics": "running averages",
        "precision": "32-true",
    }


if __name__ == "__main__":
    main()
