"""`genlab evaluate`: scores on held-out images, with a stamp of how they were measured."""

import json
import logging
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import genlab
from genlab.commands.loading import load_run_for
from genlab.commands.outputs import destination, keep_others
from genlab.console import log_to
from genlab.data.image_set import DRAW_SEED, drawn
from genlab.data.stream import on_device, take
from genlab.editing.attribute_classifier import attribute_classifier
from genlab.editing.path_scores import path_scores
from genlab.evaluation.image_scores import image_scores
from genlab.io.files import write_text
from genlab.learners.abilities import Encodes, EstimatesLikelihood, Generates, Measures
from genlab.learners.learner import seed_noise
from genlab.learners.measuring import summed
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
from genlab.runs.loaded import LoadedRun
from genlab.settings.evaluate import Evaluate
from genlab.training.settings import counted

log = logging.getLogger(__name__)


def run(settings: Evaluate) -> None:
    """Measure, print, write; several processes share the generation of images and features."""
    # Single precision, as the stamp says, without TF32, which is the default on GPUs.
    torch.backends.cudnn.allow_tf32 = False
    count, batch_size = settings.count, settings.batch_size
    loaded = load_run_for(settings)
    processes = counted(settings.devices, loaded.device.type, "devices")
    if processes > 1 and not launch.launched():
        _several(loaded, settings, processes)
        return
    stamp: dict[str, Any] = {
        "split": settings.split,
        "draw_seed": DRAW_SEED,  # of the choice of images, if only a part of the split is used
        "data": loaded.data.source.fingerprint(),
        "weights": weights_stamp(loaded),
        "genlab": genlab.__version__,
    }
    metrics: dict[str, float] = {}
    path = loaded.folder.evaluation
    if settings.out:
        path = destination(settings.out, loaded.folder, path.stem, path.suffix)
        keep_others([path], settings)
        path.parent.mkdir(parents=True, exist_ok=True)
    image_metrics: dict[str, float] = {}
    if settings.features != "none":
        try:
            image_metrics = image_scores(loaded, settings, stamp, path)
        except FeaturesUnavailable as error:
            if settings.features != "auto":
                raise
            log.warning("no distances: %s", error)
            stamp["no_distances"] = str(error)
    if launch.rank() > 0:  # the first process does the rest
        return
    if isinstance(loaded.learner, Measures):
        metrics |= _measures(loaded, settings.split, count, batch_size, stamp)
    if isinstance(loaded.learner, EstimatesLikelihood):
        metrics |= _likelihood(loaded, settings, stamp)
    if isinstance(loaded.learner, Encodes):
        metrics |= _codes(loaded, settings, count, batch_size, stamp)
    metrics |= image_metrics
    if settings.path_samples:
        metrics |= _paths(loaded, settings, stamp)
    write_text(path, json.dumps({"metrics": metrics, "stamp": stamp}, indent=2) + "\n")
    for name, value in metrics.items():
        log.info("%-28s %.5g", name, value)
    log.info("wrote %s", path)


def _several(loaded: LoadedRun, settings: Evaluate, processes: int) -> None:
    """Run the same command in several processes."""
    folder = loaded.folder
    named = folder.weights if folder.tag else folder.path  # "last" may soon be another one
    settings = replace(settings, run=str(named))
    with tempfile.TemporaryDirectory() as reports:
        children.run_processes(
            [
                "genlab.commands.evaluate",
                json.dumps(asdict(settings)),
                reports,
            ],
            processes,
            Path(reports),
            again="run the command again, or with devices=1",
            stopped=lambda: "stopped",
        )


def main() -> None:
    """Entry of one of several processes: `python -m genlab.commands.evaluate CONFIG REPORTS`."""
    settings, reports = Evaluate.read(json.loads(sys.argv[1])), Path(sys.argv[2])
    with children.reporting(reports), log_to(None, on_console=True, quiet=launch.rank() > 0):
        run(settings)


def _measures(
    loaded: LoadedRun, split: str, count: int, batch_size: int, stamp: dict[str, Any]
) -> dict[str, float]:
    """The means of the learner's measures."""
    sums, images = summed(loaded.learner, loaded.data.held_out(split, batch_size, count))
    stamp["measured_images"] = images
    return {name: value / images for name, value in sums.items()}


def _likelihood(loaded: LoadedRun, settings: Evaluate, stamp: dict[str, Any]) -> dict[str, float]:
    """The importance-weighted log-likelihood in nats per image, if codes have a posterior."""
    limit, samples = settings.likelihood_images, settings.likelihood_samples
    learner: Any = loaded.learner
    total, seen = 0.0, 0
    seed_noise(settings.seed)
    for batch in loaded.data.held_out(settings.split, settings.batch_size, limit):
        images, labels = on_device(batch, loaded.device)
        estimate = learner.log_likelihood(learner.prepare(images), labels, samples)
        if estimate is None:
            return {}
        total += estimate.double().sum().item()
        seen += len(images)
    stamp |= {"likelihood_images": seen, "likelihood_samples": samples}
    return {"log_likelihood": total / seen}


def _codes(
    loaded: LoadedRun, settings: Evaluate, count: int, batch_size: int, stamp: dict[str, Any]
) -> dict[str, float]:
    """Scores of the split's codes; probes learn from codes of the training part."""
    data = loaded.data
    known = take(data.image_set, drawn(data.indices("train"), settings.probe_images))
    probed = take(data.image_set, drawn(data.indices(settings.split), count))
    known_codes = loaded.codes(known, batch_size)["values"]
    code = loaded.codes(probed, batch_size)
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
    for name, labels in probed.labels.items():
        known_labels = known.labels[name]
        scores[f"linear_probe/{name}"] = linear_probe(known_codes, known_labels, codes, labels)
        scores[f"nearest_neighbours/{name}"] = nearest_neighbours(
            known_codes, known_labels, codes, labels
        )
    stamp["probe_images"] = len(known_codes)
    return scores


def _paths(loaded: LoadedRun, settings: Evaluate, stamp: dict[str, Any]) -> dict[str, float]:
    """Path lengths and separability of latents and styles, in the classifier's features.

    The feature network of distances takes uint8 images, which are equal at two points that are a
    ten-thousandth of a path apart; the classifier takes float images.
    """
    count = settings.path_samples
    if not isinstance(loaded.learner, Generates) or loaded.learner.styles is None:
        return {}
    try:
        classifier = attribute_classifier(loaded)
    except FeaturesUnavailable as error:
        log.warning("no path lengths: %s", error)
        return {}
    scores = path_scores(loaded, classifier, count, settings.seed, settings.batch_size)
    stamp |= {"path_samples": count, "path_features": classifier.network.name}
    return scores


def weights_stamp(loaded: LoadedRun) -> dict[str, Any]:
    """What identifies the weights, and how they compute."""
    return {
        "sha256": state_sha256(loaded.learner.exported),
        "images_seen": loaded.learner.images_seen,
        "ema_half_life_images": loaded.config.ema_half_life_images,
        "batch_statistics": "running averages",
        "precision": "32-true",
    }


if __name__ == "__main__":
    main()
