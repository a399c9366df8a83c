"""Runs that another run needs first: a pre-trained encoder, a generator of further images."""

import hashlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import open_dict

from genlab.config.build import build_data
from genlab.config.checks import checked
from genlab.config.encoders import autoencoder_of
from genlab.config.run import Encoder, Generator, RunConfig
from genlab.config.scale import scaled
from genlab.errors import ConfigError, Locked
from genlab.io.files import write_atomically
from genlab.jobs import train as training
from genlab.runs import finding
from genlab.runs.held_out import condition_of
from genlab.runs.loaded import LoadedRun, load_run
from genlab.runs.sampling import generate
from genlab.training.settings import total_processes
from genlab.words import counted

log = logging.getLogger(__name__)

BATCH = 250


class Prepared(NamedTuple):
    """A run's config and overrides with the folders of the runs that it needs."""

    config: RunConfig
    overrides: list[str]


def with_runs_before(config: RunConfig, overrides: Sequence[str], folder: Path) -> Prepared:
    """Train the runs in `folder` that the encoder and generator settings need, unless they exist.

    "last" is replaced by a path in the config and the overrides, because it may be another run when
    this one is continued.
    """
    words = list(overrides)
    encoder = config.encoder
    if encoder and (encoder.run or encoder.page):
        run = _run_of("encoder", encoder, config, folder, words)
        config = config.replaced(encoder={"run": str(run)})
        words = _with_run(words, "encoder", run)
    before = config.generator
    if before and before.run:
        finding.find_run(before.run, key="generator.run")  # checked even with a ratio of 0
    config = with_generated_images(config, folder, words)
    if config.generator and config.generator != before:
        words = _with_run(words, "generator", config.generator.run)
    return Prepared(config, words)


def with_generated_images(
    config: RunConfig, folder: Path, overrides: Sequence[str] = ()
) -> RunConfig:
    """The config with generated images as data.extra, written to `folder`."""
    generator = config.generator
    if generator and generator.ratio < 0:
        raise ConfigError(f"generator.ratio={generator.ratio} must not be negative; 0 for none")
    if not generator or not generator.ratio:
        return config
    if not generator.run and not generator.page:
        raise ConfigError("generator.ratio above 0 needs generator.run=PATH or generator.page")
    run = _run_of("generator", generator, config, folder, overrides)
    path = _generated_images(run, config, generator.ratio, folder)
    return config.replaced(generator={"run": str(run)}, data={"extra": str(path)})


def _with_run(words: Sequence[str], kind: str, run: Path | str | None) -> list[str]:
    return [f"{kind}.run={run}" if word.startswith(f"{kind}.run=") else word for word in words]


def _run_of(
    kind: str,
    wanted: Encoder | Generator,
    config: RunConfig,
    folder: Path,
    given: Sequence[str],
) -> Path:
    """The folder of the named run, or of a run of the named page, which is trained here."""
    if wanted.run:
        return finding.find_run(wanted.run, key=f"{kind}.run").path
    for word in (str(wanted.page), *map(str, wanted.overrides or [])):
        if "${" in word or word.lstrip("+~").startswith("hydra"):
            raise ConfigError(f"{kind}: {word}: only settings of the run itself are allowed")
    words = [word for word in given if word.startswith(("data", "trainer"))]
    own = _OWN[kind]
    overrides = [
        *(word for word in words if not word.startswith(own)),
        f"model={wanted.page}",
        f"seed={config.seed}",
        f"scale={config.scale}",
        f"total_images={wanted.total_images}",
        *(wanted.overrides or []),
    ]
    if not any(word.startswith("data=") for word in words):
        overrides.append(f"data={_data_page(given)}")
    composed = (
        GlobalHydra.instance().config_loader().load_configuration("train", overrides, RunMode.RUN)
    )
    with open_dict(composed):
        del composed["hydra"]
    before = checked(scaled(composed, total_processes(composed.trainer)))
    if isinstance(wanted, Encoder):
        autoencoder_of(before, wanted.layer, f"encoder.page={wanted.page}")
    content = hashlib.sha256(" ".join(sorted(overrides)).encode()).hexdigest()[:8]
    run = folder / f"{kind}_{wanted.page}_seed{config.seed}_{content}"
    if not (run / "summary.json").exists():
        log.info("first the %s: %s", kind, run)
    run.mkdir(parents=True, exist_ok=True)
    _train_once(before, run, overrides)
    return run


def _data_page(words: Sequence[str]) -> str:
    """The data page that a run's words choose, directly or through another page."""
    if HydraConfig.initialized():
        choices = HydraConfig.get().runtime.choices
    else:
        given = [word for word in words if not word.startswith("--")]
        choices = compose("train", given, return_hydra_config=True).hydra.runtime.choices
    return str(choices["data"])


def _train_once(config: RunConfig, run: Path, overrides: Sequence[str]) -> None:
    """Train the run to its end; wait if another job of the multirun is training it."""
    said = False
    while True:
        try:
            training.train(config, run, list(overrides), go_on=True)
            return
        except Locked:
            if not said:
                log.info("waiting for another process that trains %s", run)
            said = True
            time.sleep(1)


# An encoder is trained on all images, a generator on those of the run itself.
_OWN = {
    "encoder": ("data.labels_per_class=", "data.batch_size=", "data.crop="),
    "generator": ("data.batch_size=", "data.flip=", "data.crop="),
}


def _generated_images(run: Path, config: RunConfig, ratio: float, folder: Path) -> Path:
    """A file with `ratio` generated images for each training image of each class."""
    data = build_data(config)
    seed = config.seed
    content = f"{run} {ratio} {seed} {data.parts.labels_per_class}"
    path = folder / f"synthetic_{hashlib.sha256(content.encode()).hexdigest()[:8]}.npz"
    if path.exists():
        return path
    loaded = load_run(str(run), "auto")
    label = _label(loaded, config)
    training_labels = data.image_set.labels[label][data.indices("train")]
    images, labels = [], []
    for number, name in enumerate(data.image_set.classes[label]):
        count = round(ratio * int((training_labels == number).sum()))
        if not count:
            continue
        images.append(generate(loaded, count, seed, BATCH, {label: name}).images)
        labels.append(np.full(count, number, np.int64))
    pixels = torch.cat(images).permute(0, 2, 3, 1).numpy()
    log.info("%s: %s by %s", path.name, counted(len(pixels), "image"), run)
    key = "labels" if label == "label" else f"labels/{label}"
    arrays = {"images": pixels, key: np.concatenate(labels)}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))
    return path


def _label(loaded: LoadedRun, config: RunConfig) -> str:
    """The label that the generator is conditioned on; ConfigError if it is not the data's."""
    named = f"generator.run={loaded.folder.path}"
    condition = condition_of(loaded)
    if condition is None:
        raise ConfigError(f"{named} is not conditional: train a conditional model, model=cgan")
    if other := loaded.config.data.unlike(config.data):
        raise ConfigError(f"{named} was trained with {other}: set the same")
    ours = build_data(config).image_set.classes
    if len(ours) != 1 or dict(condition.classes) != ours:
        raise ConfigError(
            f"{named} knows the classes {', '.join(condition.classes)}; the data set must have the "
            "same, of a single label"
        )
    return next(iter(ours))
