"""Which run folder a word of the command line means: a path, or the newest run."""

import logging
import os
import time
from pathlib import Path

from genlab.errors import CheckpointError, ConfigError
from genlab.io.files import PART, write_text
from genlab.io.reading import MIB, read_text, require_plain_folder
from genlab.runs.folder import BEST, RunFolder

log = logging.getLogger(__name__)

LEFT_SECONDS = 60  # after which a part of a one-line file is no longer being written


def find(run: str | None, key: str = "run") -> RunFolder:
    """The run folder that `run` names: a path, or "last" for the newest one started.

    The path may go on to best.safetensors, the weights of the run's best moment.
    """
    if not run:
        raise ConfigError(f"{key}= is missing: give the path of a run folder, or {key}=last")
    path = _last() if run == "last" else _absolute(run)
    if path is None:
        raise CheckpointError(f"{key}=last: no run has been started yet; start one: genlab train")
    folder = RunFolder(path)
    if path.name == BEST and key in ("run", "runs"):
        folder = RunFolder(path.parent, weights_name=BEST)
    elif path.is_file():
        raise CheckpointError(
            f"{key}={run} is a file: give the run folder that it lies in (weights alone do not "
            "say which networks they belong to)"
        )
    if not folder.exists:
        raise CheckpointError(f"{key}={run}: {folder.path} holds no run (no config.yaml)")
    require_plain_folder(folder.path, CheckpointError)
    return folder


def _absolute(run: str) -> Path:
    """The path without links, but for one that lies in the run folder."""
    path = Path(run).expanduser()
    return path.parent.resolve() / BEST if path.name == BEST else path.resolve()


def remember(folder: RunFolder) -> None:
    """Make this folder the one that "last" means, in a home that can be written to."""
    pointer = _pointer()
    try:
        pointer.parent.mkdir(parents=True, exist_ok=True)
        for part in pointer.parent.glob(f"{pointer.name}.*{PART}"):
            if time.time() - part.lstat().st_mtime > LEFT_SECONDS:  # by a process that was killed
                part.unlink(missing_ok=True)
        write_text(pointer, str(folder.path), durable=False)
    except OSError as error:
        log.warning(
            "run=last does not find this run (%s: %s): name it, run=%s",
            pointer.parent,
            error.strerror,
            folder.path,
        )


def _last() -> Path | None:
    pointer = _pointer()
    if pointer.exists():
        path = Path(read_text(pointer, CheckpointError, limit=MIB))
        if os.path.exists(path / "config.yaml"):  # False for what no path can be
            return path
    started = list(Path("runs").glob("*/config.yaml"))
    newest = max(started, key=lambda file: file.stat().st_mtime, default=None)
    return newest.parent.resolve() if newest else None


def _pointer() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "genlab" / "last_run"
