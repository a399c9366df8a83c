"""How far a run is, from the names and the records in its folder alone."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlab.config.run import RunConfig
from genlab.errors import CheckpointError, ResourceError
from genlab.io.reading import require_plain_folder
from genlab.runs.folder import RunFolder

CHECKPOINT = re.compile(r"images-(\d+)\.ckpt")


@dataclass(frozen=True)
class State:
    """Where a run stands.

    Attributes:
        name: finished, training, stopped, started or damaged.
        images_seen: by its newest checkpoint.
        total_images: its length, 0 where it is unknown.
        metrics: of its evaluation, or else of its training.
        size: bytes of its files.
        problem: what is damaged.
    """

    name: str
    images_seen: int = 0
    total_images: int = 0
    metrics: dict[str, float] | None = None
    size: int = 0
    problem: str = ""


def reached(summary: dict[str, Any], config: RunConfig) -> bool:
    """Whether the run with this summary, {} for none, is as long as the config asks for."""
    if not summary:
        return False
    minutes = config.max_minutes
    enough = minutes is not None and summary["seconds"] >= 60 * minutes
    return bool(enough or summary["images_seen"] >= config.total_images)


def images_seen_of(checkpoint: Path) -> int:
    """How many images the run had seen when it wrote the checkpoint, from its name."""
    match = CHECKPOINT.fullmatch(checkpoint.name)
    return int(match[1]) if match else 0


def checkpoints_of(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first; none behind a link."""
    if folder.is_symlink():
        return []
    return sorted((p for p in folder.glob("*.ckpt") if CHECKPOINT.fullmatch(p.name)), reverse=True)


def state_of(folder: RunFolder) -> State:
    """The state of a run; what cannot be read is part of it."""
    try:
        require_plain_folder(folder.path, CheckpointError)
        config = folder.config()
        summary = folder.read_summary()
        scores = folder.read_evaluation() if folder.evaluation.exists() else summary
    except CheckpointError as error:
        return State("damaged", problem=str(error))
    checkpoint = next(iter(checkpoints_of(folder.checkpoints)), None)
    seen = images_seen_of(checkpoint) if checkpoint else summary.get("images_seen", 0)
    if _held(folder):
        name = "training"
    elif reached(summary, config):
        name = "finished"
    else:
        name = "stopped" if folder.saved else "started"
    return State(name, seen, config.total_images, scores.get("metrics", {}), _size(folder.path))


def _held(folder: RunFolder) -> bool:
    try:
        return folder.held
    except ResourceError:  # where nothing can be written, nothing is trained
        return False


def _size(folder: Path) -> int:
    """Bytes of all files below a folder; files that go meanwhile are left out."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_size
        except OSError:
            continue
    return total
