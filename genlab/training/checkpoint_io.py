"""Lightning's reading and writing of checkpoints: with a hash, and atomically."""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import CheckpointIO

from genlab.io.files import write_atomically, write_text
from genlab.runs.checkpoints import LoadedCheckpoint, hash_file, read_checkpoint, with_room


class SafeCheckpointIO(CheckpointIO):
    """Reads and writes checkpoints for Lightning.

    Args:
        read: a checkpoint in memory, which is not read again.
    """

    def __init__(self, read: LoadedCheckpoint | None = None) -> None:
        self._read = read

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write the hash, then the content, so that every visible checkpoint has a hash."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        content = buffer.getvalue()
        target = Path(path)

        def write() -> None:
            write_text(hash_file(target), hashlib.sha256(content).hexdigest() + "\n")
            write_atomically(target, lambda file: file.write(content))

        with_room(target.parent, write)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read with the hash verified, always with weights_only=True."""
        read, self._read = self._read, None
        if read and read.path == Path(path):
            state = dict(read.state)
            read.state.clear()  # memory is freed when Lightning no longer needs it
            return state
        return read_checkpoint(Path(path), map_location)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove one checkpoint."""
        Path(path).unlink(missing_ok=True)
