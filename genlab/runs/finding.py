"""Which run folder a word of the command line means: a path, or the newest run."""

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from genlab.errors import CheckpointError, ConfigError
from genlab.io.files import PART, write_text
from genlab.io.reading import MIB, read_text, require_plain_folder
from genlab.runs.folder import BEST, RunFolder

log = logging.getLogger(__name__)

_APART = "\0"  # between two paths
LEFT_SECONDS = 60  # after which a part of a one-line file is no longer being written


def find(run: str | None, key: str = "run") -> RunFolder:
    """The run folder that `run` names: a path, or "last" for the newest one started.

    The path may go on to best.safetensors, the weights of the run's best moment. The run that
    "last" chooses is logged.
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
    if run == "last":
        log.info("%s=last: %s", key, folder.path)
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
        write_text(pointer, f"{folder.path}{_APART}{Path.cwd()}", durable=False)
    except OSError as error:
        log.warning(
            "run=last does not find this run (%s: %s): name it, run=%s",
            pointer.parent,
            error.strerror,
            folder.path,
        )


def runs_of(folder: Path) -> list[Path]:
    """Run folders in `runs` and `sweeps` of a folder, the newest first."""
    found = [*folder.glob("runs/*/config.yaml"), *folder.glob("sweeps/*/*/config.yaml")]
    return newest_first(file.parent for file in found)


def newest_first(runs: Iterable[Path]) -> list[Path]:
    """Run folders by when they were started, or gone on with."""
    return sorted(runs, key=_started, reverse=True)


def _started(run: Path) -> float:
    try:
        return (run / "config.yaml").lstat().st_mtime
    except (OSError, ValueError):
        return 0.0


def _last() -> Path | None:
    """The newest run of the current folder; the newest of this user where it has none.

    Of the current folder are the runs that lie in it, and the last one of all if it was started
    from there.
    """
    run, home = _remembered()
    here = runs_of(Path.cwd())
    if run is not None and (home == Path.cwd() or not here):
        here.append(run)
    return max(here, key=_started).resolve() if here else None


def _remembered() -> tuple[Path | None, Path | None]:
    """The run that was started last of all, and the folder from which; None for unknown ones."""
    pointer = _pointer()
    if not pointer.exists():
        return None, None
    run, _, home = read_text(pointer, CheckpointError, limit=MIB).partition(_APART)
    if not os.path.exists(Path(run) / "config.yaml"):  # False for what no path can be
        return None, None
    return Path(run), Path(home) if home else None


def _pointer() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "genlab" / "last_run"
