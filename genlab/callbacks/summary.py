"""summary.json: settings and results of a finished run."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

import genlab
from genlab.callbacks.diagnosis import Diagnosis
from genlab.callbacks.evaluation import Evaluation
from genlab.callbacks.history import History
from genlab.callbacks.lifecycle import Lifecycle
from genlab.devices import Device
from genlab.io.files import write_text
from genlab.learners import Learner
from genlab.metrics import state_sha256


class Summary:
    """Writes summary.json; called by the first rank's lifecycle when the run is finished."""

    def __init__(self, path: Path, history: History, device: Device, seed: int) -> None:
        self.path = path
        self.history = history
        self.device = device
        self.seed = seed
        self.lifecycle: Lifecycle | None = None
        self.diagnosis: Diagnosis | None = None
        self.evaluation: Evaluation | None = None

    def write(self, trainer: pl.Trainer, learner: Learner) -> None:
        """Gather and write; every rank takes part, to compare weights."""
        assert self.lifecycle is not None
        hashes = weights_of_ranks(trainer, learner)
        if not trainer.is_global_zero:
            return
        seconds = self.lifecycle.seconds
        content = {
            "images_seen": learner.images_seen,
            "seconds": round(seconds, 3),
            "images_per_second": round(learner.images_seen / seconds, 1),
            "device": self.device.name,
            "precision": self.device.precision,
            "processes": trainer.world_size,
            "weights_sha256": hashes,
            "seed": self.seed,
            "roll_backs": learner.roll_backs,
            "metrics": self.history.latest,
            "best": self.evaluation.best if self.evaluation else {},
            "evaluation": self.evaluation.stamp if self.evaluation else {},
            "diagnosis": self.diagnosis.findings() if self.diagnosis else [],
            "versions": {name: version(name) for name in ("genlab", "torch", "pytorch-lightning")},
            "git_revision": git_revision(),
        }
        write_text(self.path, json.dumps(content, indent=2) + "\n")


def weights_of_ranks(trainer: pl.Trainer, learner: Learner) -> list[str]:
    """The sha256 of each rank's weights and buffers; they are equal if ranks are in sync."""
    if trainer.world_size > 1:
        for buffer in learner.buffers():  # like checkpoints, with the first rank's statistics
            torch.distributed.broadcast(buffer, 0)
    own = state_sha256(learner)
    hashes: list[Any] = [own]
    if trainer.world_size > 1:
        hashes = [None] * trainer.world_size
        torch.distributed.all_gather_object(hashes, own)
    return hashes


def git_revision() -> str | None:
    """The commit of the checkout that genlab runs from, None if it is installed."""
    folder = Path(genlab.__file__).parent
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
