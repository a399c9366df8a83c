"""Training of a run, step by step: settings, encoder, run folder, processes.

`train` fits in this process on one device, or through `genlab.processes.children` with one process
per device. Those processes start at `main`; processes that torchrun or SLURM starts `follow` the
first one.
"""

import logging
import sys
from pathlib import Path
from typing import Any

from genlab.callbacks.listener import listener
from genlab.config.build import completed
from genlab.config.paths import absolute, relative
from genlab.config.run import RunConfig
from genlab.console import log_to
from genlab.data.description import Description, Origin
from genlab.errors import ConfigError, ResourceError
from genlab.evaluation import normal_scores
from genlab.evaluation.reference import reference_for
from genlab.io import secrets
from genlab.processes import children, launch, peers
from genlab.runs import data_check
from genlab.runs.finding import remember
from genlab.runs.run_folder import RunFolder
from genlab.runs.state import reached
from genlab.runs.weights import intact_images_seen
from genlab.training.fit import fit
from genlab.training.preparation import prepare_run
from genlab.training.pretrained import with_encoder
from genlab.training.settings import check_settings, processes, refuse_changes
from genlab.training.stopping import stoppable, stopped_message

log = logging.getLogger(__name__)


def train(
    config: RunConfig, path: Path, overrides: list[str] | None, go_on: bool
) -> dict[str, Any]:
    """Train the run of `config` in the run folder `path`; returns its summary.

    An existing run is continued if `go_on` allows it and no setting that affects the result has
    changed (or config.allow_changes is true).
    """
    check_settings(config)
    config = completed(with_encoder(absolute(config)))
    folder = RunFolder(path)
    with stoppable(folder):
        folder.claim()
        folder.lock()
        try:
            return _train_locked(config, folder, overrides, go_on)
        except OSError as error:
            again = f"continue with genlab train resume={path}" if folder.exists else "start again"
            raise ResourceError(
                f"{error.filename or path}: {error.strerror or error}; make room there, or choose "
                f"another folder, and {again}"
            ) from error
        finally:
            folder.release()


def _train_locked(
    config: RunConfig, folder: RunFolder, overrides: list[str] | None, go_on: bool
) -> dict[str, Any]:
    if (summary := _finished(config, folder, go_on)) is not None:
        return summary
    count = processes(config.trainer)
    several = count > 1 and not launch.launched()
    if several and (place := secrets.hidden(secrets.redacted(config.plain))):
        raise ConfigError(
            f"{place} is a secret and not stored in the run, where processes read it: use one "
            "process"
        )
    # All errors of settings and data are raised before the run folder is written.
    parts = prepare_run(config, folder, count if several else launch.world_size())
    if folder.saved:
        data_check.refuse_others(folder, parts.data, config.allow_changes)
    scorer = reference_for(config, parts.learner)
    scorable = normal_scores.is_unconditional_autoencoder(parts.learner)
    folder.create(config.replaced(resume=None), overrides)
    folder.write_data(
        {
            "description": Description.of(parts.data.image_set).plain(),
            "origin": Origin.of(parts.data).plain(),
            "contents": data_check.contents(parts.data),
        }
    )
    remember(folder)
    if several:
        del parts, scorer  # every process builds its own
        if listener():
            log.warning("trials of several processes run to their end: pruning needs a single one")
        children.run_processes(
            ["genlab.jobs.train", str(folder.path)],
            count,
            folder.path,
            again=f"continue with genlab train resume={folder.path}",
            stopped=lambda: stopped_message(folder),
            held=folder.lock_descriptors,
        )
    else:
        peers.broadcast(folder=str(folder.path), config=config.plain)
        with log_to(folder.path / "train.log"):
            fit(config, folder, parts, scorer, listener())
    if scorable:
        normal_scores.store_reconstruction_scores(
            folder, config.trainer.accelerator, config.data.batch_size
        )
    return folder.read_summary()


def _finished(config: RunConfig, folder: RunFolder, go_on: bool) -> dict[str, Any] | None:
    """The summary of a run that has its length; None if there is more to do.

    Raises:
        ConfigError: there is a run that must not be continued.
        CheckpointError: it was started with other settings.
    """
    if not folder.saved:
        if folder.exists:
            log.info("nothing was saved in %s yet: starting from the beginning", folder.path)
        return None
    if not go_on:
        raise ConfigError(
            f"hydra.run.dir={folder.path} contains a run already: continue it with "
            f"resume={folder.path}, or choose another folder"
        )
    stored = folder.config()
    refuse_changes(absolute(stored), config)
    for path in relative(stored):
        log.warning("%s is relative in config.yaml: taken from %s", path, Path.cwd())
    summary = folder.read_summary()
    if not reached(summary, config) or intact_images_seen(folder.weights) != summary["images_seen"]:
        return None
    log.info("%s is finished: %s", folder.path, _longer(summary, config))
    return summary


def _longer(summary: dict[str, Any], config: RunConfig) -> str:
    """How to train a finished run further, depending on what ended it."""
    if summary["images_seen"] >= config.total_images:
        return f"it has seen {summary['images_seen']:,} images; total_images=N trains it further"
    return (
        f"max_minutes={config.max_minutes:g} includes earlier training, of "
        f"{summary['seconds'] / 60:.3g} minutes; a larger max_minutes, or max_minutes=null, trains "
        "it further"
    )


def follow() -> None:
    """Take part in the runs that the first process trains, until it has finished."""
    with stoppable(), peers.following() as messages:
        for message in messages:
            config = RunConfig.read(message["config"])
            _fit_as_one_of_several(config, RunFolder(Path(message["folder"])))


def _fit_as_one_of_several(config: RunConfig, folder: RunFolder) -> None:
    with peers.failing_together():
        parts = prepare_run(config, folder, launch.world_size())
        fit(config, folder, parts, reference_for(config, parts.learner), listener())


def main() -> None:
    """Entry of one of several processes: `python -m genlab.jobs.train RUN_FOLDER`."""
    folder = RunFolder(Path(sys.argv[1]))
    with (
        children.reporting(folder.path),
        stoppable(folder),
        log_to(folder.path / "train.log", on_console=True, quiet=launch.rank() > 0),
    ):
        _fit_as_one_of_several(folder.config(), folder)


if __name__ == "__main__":
    main()
