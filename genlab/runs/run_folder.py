"""The run folder: its files, its lock, and reading and writing what describes a run."""

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
    """The folder of one run: config, checkpoints, weights, images, metrics, logs."""

    path: Path
    weights_name: str = "weights.safetensors"
    _lock: LockFile | None = field(default=None, repr=False)

    @property
    def config_file(self) -> Path:
        """The resolved config."""
        return self.path / "config.yaml"

    @property
    def overrides_file(self) -> Path:
        """A record of the command line's overrides, for information only."""
        return self.path / "overrides.yaml"

    @property
    def data_file(self) -> Path:
        """The description of the run's data, for use without the data."""
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
        """The ending of names of files made with these weights: empty, or "_best"."""
        return "_best" if self.weights_name == BEST else ""

    @property
    def name(self) -> str:
        """The folder's name, with the tag of its weights."""
        return self.path.name + self.tag

    @property
    def run_argument(self) -> str:
        """The value of `run=` for it: its path, or that of its best weights."""
        return str(self.weights if self.tag else self.path)

    @property
    def evaluation(self) -> Path:
        """The scores that `genlab evaluate` writes."""
        return self.path / f"evaluation{self.tag}.json"

    @property
    def normal_scores(self) -> Path:
        """Anomaly scores of the run's validation images, for `genlab score`."""
        return self.path / f"normal_scores{self.tag}.json"

    @property
    def best(self) -> Path:
        """The exported weights with the best score while training."""
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
        """The resolved config; CheckpointError if the file is invalid."""
        content: Any = read_yaml(self.config_file, CheckpointError)
        try:
            plain = held_to_skeleton(content)
            require(self.config_file, CheckpointError, plain, _CONFIG)
            return RunConfig.read(plain)
        except ConfigError as error:
            raise CheckpointError(f"{self.config_file}: {error}") from error

    def overrides(self) -> list[str]:
        """The overrides that the run was started with; [] without a valid record."""
        try:
            content = read_yaml(self.overrides_file, CheckpointError)
        except CheckpointError:
            return []
        return [str(word) for word in content] if isinstance(content, list) else []

    def claim(self) -> None:
        """Claim the folder for a run; ConfigError if it contains other files."""
        claims.claim(self.path, "hydra.run.dir", own=("config.yaml", "checkpoints"))

    def create(self, config: RunConfig, overrides: list[str] | None) -> None:
        """Write what describes the run, without secrets; None keeps the record of overrides.

        Raises ConfigError for a value that a reader would interpret as an interpolation, and
        ResourceError if the folder cannot be written.
        """
        if place := interpolated(config.plain):
            raise ConfigError(f"{place} contains ${{, which settings must not: rename the file")
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
        """Write the description of the run's data, as plain JSON by name."""
        write_text(self.data_file, json.dumps(known, indent=1) + "\n")

    def data(self) -> dict[str, Any]:
        """What `write_data` wrote; {} for older runs."""
        if not self.data_file.exists():
            return {}
        known = read_json(self.data_file, CheckpointError)
        if not isinstance(known, dict):
            raise CheckpointError(f"{self.data_file}: not a description of data: remove it")
        return known

    def lock(self) -> None:
        """Lock the folder for this process; Locked if another process has the lock.

        Files are written afterwards: CheckpointError for a link or a pipe in the folder.
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
        """File descriptors for children, which keep the lock as long as they live."""
        descriptor = self._lock.descriptor if self._lock else None
        return [] if descriptor is None else [descriptor]

    @property
    def is_locked(self) -> bool:
        """Whether another process has locked the folder."""
        if not (self.path / LOCK).exists():
            return False
        try:
            self.lock()
        except Locked:
            return True
        self.release()
        return False

    def release(self) -> None:
        """Release the lock; its file is removed if no run was started in the folder."""
        if self._lock is not None:
            self._lock.release(keep=self.exists)
            self._lock = None

    def remove_if_empty(self) -> None:
        """Remove what Hydra created for a run that was never started."""
        with suppress(Locked, ResourceError, CheckpointError):
            if claims.is_unused(self.path) and not self.is_locked:
                claims.remove_if_unused(self.path)

    def read_summary(self) -> dict[str, Any]:
        """The summary of a finished run; {} before."""
        if not self.summary.exists():
            return {}
        summary: dict[str, Any] = read_json(self.summary, CheckpointError, _SUMMARY)
        return summary

    def read_evaluation(self) -> dict[str, Any]:
        """Scores ("metrics") and how they were measured ("stamp"), by `genlab evaluate`."""
        evaluation: dict[str, Any] = read_json(self.evaluation, CheckpointError, _EVALUATION)
        return evaluation


def new_folder(path: Path) -> Path:
    """Create the folder, or the first of NAME_2, NAME_3 ... that no other run uses."""
    place, number = path, 1
    while True:
        place.mkdir(parents=True, exist_ok=True)
        try:
            (place / LOCK).touch(exist_ok=False)
            return place
        except FileExistsError:
            number += 1
            place = path.with_name(f"{path.name}_{number}")
