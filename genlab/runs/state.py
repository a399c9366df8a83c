"""The state of a run, from the files in its folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlab.config.run import RunConfig
from genlab.errors import CheckpointError, ResourceError
from genlab.io.reading import require_plain_folder
from genlab.runs.run_folder import RunFolder

CHECKPOINT = re.compile(r"images-(\d+)\.ckpt")


@dataclass(frozen=True)
class RunState:
    """The state of a run.

    Attributes:
        name: finished, training, stopped, started or damaged.
        images_seen: by its newest checkpoint.
        total_images: its length, 0 if unknown.
        metrics: of its evaluation, else of its training.
        size: of its files in bytes.
        problem: of a damaged run.
    """

    name: str
    images_seen: int = 0
    total_images: int = 0
    metrics: dict[str, float] | None = None
    size: int = 0
    problem: str = ""


def reached(summary: dict[str, Any], config: RunConfig) -> bool:
    """Whether the run with this summary, {} for none, has the length that the config sets."""
    if not summary:
        return False
    minutes = config.max_minutes
    enough = minutes is not None and summary["seconds"] >= 60 * minutes
    return bool(enough or summary["images_seen"] >= config.total_images)


def images_in_name(checkpoint: Path) -> int:
    """The number of images seen when the checkpoint was written, from its name."""
    match = CHECKPOINT.fullmatch(checkpoint.name)
    return int(match[1]) if match else 0


def checkpoints_of(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first; none if the folder is a link."""
    if folder.is_symlink():
        return []
    return sorted((p for p in folder.glob("*.ckpt") if CHECKPOINT.fullmatch(p.name)), reverse=True)


def state_of(folder: RunFolder) -> RunState:
    """The state of a run; files that cannot be read are part of it."""
    try:
        require_plain_folder(folder.path, CheckpointError)
        config = folder.config()
        summary = folder.read_summary()
        scores = folder.read_evaluation() if folder.evaluation.exists() else summary
    except CheckpointError as error:
        return RunState("damaged", problem=str(error))
    checkpoint = next(iter(checkpoints_of(folder.checkpoints)), None)
    seen = images_in_name(checkpoint) if checkpoint else summary.get("images_seen", 0)
    if _is_locked(folder):
        name = "training"
    elif reached(summary, config):
        name = "finished"
    else:
        name = "stopped" if folder.saved else "started"
    return RunState(name, seen, config.total_images, scores.get("metrics", {}), _size(folder.path))


def _is_locked(folder: RunFolder) -> bool:
    try:
        return folder.is_locked
    except ResourceError:  # in a read-only folder nothing is trained
        return False


def _size(folder: Path) -> int:
    """The size in bytes of all files below a folder; files that vanish meanwhile are skipped."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_size
        except OSError:
            continue
    return total
