"""The run folder: where a run lives, how it is found, locked and opened."""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genlab.config.run import RunConfig
from genlab.config.schema import as_yaml, held_to_skeleton
from genlab.errors import CheckpointError, ConfigError, Locked, ResourceError
from genlab.io.files import write_text
from genlab.io.locks import LockFile
from genlab.io.reading import interpolated, read_json, read_yaml, require, require_plain_folder
from genlab.io.schemas import ANY, COUNT, FINITE, MAPPING, NUMBER
from genlab.io.secrets import redacted, redacted_words
from genlab.runs import claims

log = logging.getLogger(__name__)

BEST = "best.safetensors"
LOCK = claims.LOCK
_DATA: dict[Any, Any] = {
    "source": MAPPING,
    **dict.fromkeys(("resolution", "channels", "batch_size"), COUNT),
    **dict.fromkeys(("validation", "test", "in_memory_gb"), NUMBER),
    str: ANY,
}
_CONFIG = {"model": MAPPING, "data": _DATA, "trainer": MAPPING, "seed": COUNT}
_SUMMARY = {
    "images_seen": COUNT,
    "seconds": FINITE,
    "images_per_second": NUMBER,
    "metrics": {str: NUMBER},
}
_EVALUATION = {"metrics": {str: NUMBER}, "stamp": {str: ANY}}


@dataclass
class RunFolder:
    """A folder that holds one run: config, checkpoints, weights, pictures, metrics, logs."""

    path: Path
    weights_name: str = "weights.safetensors"
    _lock: LockFile | None = field(default=None, repr=False)

    @property
    def config_file(self) -> Path:
        """The resolved config."""
        return self.path / "config.yaml"

    @property
    def overrides_file(self) -> Path:
        """A record of the command line's overrides; nothing is composed from it."""
        return self.path / "overrides.yaml"

    @property
    def data_file(self) -> Path:
        """What is known of the run's data without loading them."""
        return self.path / "data.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def weights(self) -> Path:
        """The exported weights."""
        return self.path / self.weights_name

    @property
    def tag(self) -> str:
        """What names of files made with these weights end in: nothing, or "_best"."""
        return "_best" if self.weights_name == BEST else ""

    @property
    def name(self) -> str:
        """The folder's name, with the tag of its weights."""
        return self.path.name + self.tag

    @property
    def named(self) -> str:
        """What `run=` names it by: its path, or that of its best weights."""
        return str(self.weights if self.tag else self.path)

    @property
    def evaluation(self) -> Path:
        """The scores that `genlab evaluate` writes."""
        return self.path / f"evaluation{self.tag}.json"

    @property
    def normal_scores(self) -> Path:
        """How strange its own validation images are to an autoencoder, for `genlab score`."""
        return self.path / f"normal_scores{self.tag}.json"

    @property
    def best(self) -> Path:
        """The exported weights of the moment with the best score while training."""
        return self.path / BEST

    @property
    def summary(self) -> Path:
        """The summary of a finished run."""
        return self.path / "summary.json"

    @property
    def exists(self) -> bool:
        """Whether a run has been started here."""
        return self.config_file.exists()

    @property
    def saved(self) -> bool:
        """Whether a run has saved anything here."""
        return self.weights.exists() or any(self.checkpoints.glob("*.ckpt"))

    def config(self) -> RunConfig:
        """The resolved config; CheckpointError where the file can be none."""
        content: Any = read_yaml(self.config_file, CheckpointError)
        try:
            plain = held_to_skeleton(content)
            require(self.config_file, CheckpointError, plain, _CONFIG)
            return RunConfig.read(plain)
        except ConfigError as error:
            raise CheckpointError(f"{self.config_file}: {error}") from error

    def overrides(self) -> list[str]:
        """The record of the overrides that the run was started with, [] where it is none."""
        try:
            content = read_yaml(self.overrides_file, CheckpointError)
        except CheckpointError:
            return []
        return [str(word) for word in content] if isinstance(content, list) else []

    def claim(self) -> None:
        """Take the folder for a run; ConfigError where it holds files of somebody else."""
        claims.claim(self.path, "hydra.run.dir", own=("config.yaml", "checkpoints"))

    def create(self, config: RunConfig, overrides: list[str] | None) -> None:
        """Write what describes the run, without secrets; None leaves the record of overrides.

        Raises ConfigError for a value that a later reader would take for an interpolation, and
        ResourceError where the folder cannot be written.
        """
        if place := interpolated(config.plain):
            raise ConfigError(f"{place} holds ${{, which no setting can: rename what it names")
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            claims.remove_parts(self.path)
            if overrides is not None:
                words = as_yaml(redacted_words(overrides))
                write_text(self.overrides_file, words)
            write_text(self.config_file, as_yaml(redacted(config.plain)))
        except OSError as error:
            raise ResourceError(
                f"{self.path}: the run folder cannot be written ({error.strerror}); "
                "choose another with hydra.run.dir=PATH"
            ) from error

    def write_data(self, known: Mapping[str, Any]) -> None:
        """Keep what is known of the run's data, as plain JSON by name."""
        write_text(self.data_file, json.dumps(known, indent=1) + "\n")

    def data(self) -> dict[str, Any]:
        """What `write_data` kept; {} for runs that were started without."""
        if not self.data_file.exists():
            return {}
        known = read_json(self.data_file, CheckpointError)
        if not isinstance(known, dict):
            raise CheckpointError(f"{self.data_file}: not what is known of a run's data: remove it")
        return known

    def lock(self) -> None:
        """Hold the folder for this process; Locked where another one holds it.

        From here on files are written: CheckpointError where a link or a pipe lies in the folder.
        """
        lock = LockFile(self.path / LOCK)
        try:
            require_plain_folder(self.path, CheckpointError)
            taken = lock.take(wait=False)
        except OSError as error:
            raise ResourceError(
                f"{self.path}: the run folder cannot be written ({error.strerror}); "
                "choose another with hydra.run.dir=PATH"
            ) from error
        if not taken:
            raise Locked(
                f"{self.path}: another process is training in this folder; wait for it, or choose "
                "another with hydra.run.dir=PATH"
            )
        self._lock = lock

    @property
    def lock_descriptors(self) -> list[int]:
        """For children that hold the folder as long as they live."""
        descriptor = self._lock.descriptor if self._lock else None
        return [] if descriptor is None else [descriptor]

    @property
    def held(self) -> bool:
        """Whether another process holds the folder."""
        if not (self.path / LOCK).exists():
            return False
        try:
            self.lock()
        except Locked:
            return True
        self.release()
        return False

    def release(self) -> None:
        """Give the folder back, without the lock if no run was started in it."""
        if self._lock is not None:
            self._lock.release(keep=self.exists)
            self._lock = None

    def remove_if_empty(self) -> None:
        """Remove what Hydra made for a run that was never started."""
        with suppress(Locked, ResourceError, CheckpointError):
            if claims.is_unused(self.path) and not self.held:
                claims.remove_if_unused(self.path)

    def read_summary(self) -> dict[str, Any]:
        """The summary of a finished run, {} before it has finished."""
        if not self.summary.exists():
            return {}
        summary: dict[str, Any] = read_json(self.summary, CheckpointError, _SUMMARY)
        return summary

    def read_evaluation(self) -> dict[str, Any]:
        """Scores as "metrics" and how they were measured as "stamp", by `genlab evaluate`."""
        evaluation: dict[str, Any] = read_json(self.evaluation, CheckpointError, _EVALUATION)
        return evaluation


def unused(path: Path) -> Path:
    """The folder, or the first of NAME_2, NAME_3 ... that no other run has taken; made."""
    place, number = path, 1
    while True:
        place.mkdir(parents=True, exist_ok=True)
        try:
            (place / LOCK).touch(exist_ok=False)
            return place
        except FileExistsError:
            number += 1
            place = path.with_name(f"{path.name}_{number}")
