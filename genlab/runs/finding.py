"""Finding the run folder that a setting names: a path, or "last" for the newest run."""

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from genlab.errors import CheckpointError, ConfigError
from genlab.io.files import PART, write_text
from genlab.io.reading import MIB, read_text, require_plain_folder
from genlab.runs.run_folder import BEST, RunFolder

log = logging.getLogger(__name__)

_APART = "\0"  # separates two paths
LEFT_SECONDS = 60  # a partly written file that is older belongs to a killed process


def find_run(run: str | None, key: str = "run") -> RunFolder:
    """The run folder that `run` names: a path, or "last" for the run started last, which is logged.

    The path may end in best.safetensors, the weights with the best score while training.
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
            f"{key}={run} is a file: give its run folder (weights alone do not define their "
            "networks)"
        )
    if not folder.exists:
        raise CheckpointError(f"{key}={run}: {folder.path} is not a run folder (no config.yaml)")
    require_plain_folder(folder.path, CheckpointError)
    if run == "last":
        log.info("%s=last: %s", key, folder.path)
    return folder


def _absolute(run: str) -> Path:
    """The path with links resolved, except for the weights in the run folder."""
    path = Path(run).expanduser()
    return path.parent.resolve() / BEST if path.name == BEST else path.resolve()


def remember(folder: RunFolder) -> None:
    """Make this folder the one that "last" means, if the home directory is writable."""
    pointer = _pointer()
    try:
        pointer.parent.mkdir(parents=True, exist_ok=True)
        for part in pointer.parent.glob(f"{pointer.name}.*{PART}"):
            if time.time() - part.lstat().st_mtime > LEFT_SECONDS:  # of a killed process
                part.unlink(missing_ok=True)
        write_text(pointer, f"{folder.path}{_APART}{Path.cwd()}", durable=False)
    except OSError as error:
        log.warning(
            "run=last will not find this run (%s: %s): use run=%s",
            pointer.parent,
            error.strerror,
            folder.path,
        )


def runs_of(folder: Path) -> list[Path]:
    """Run folders in `runs` and `sweeps` of a folder, the newest first."""
    found = [*folder.glob("runs/*/config.yaml"), *folder.glob("sweeps/*/*/config.yaml")]
    return newest_first(file.parent for file in found)


def newest_first(runs: Iterable[Path]) -> list[Path]:
    """Run folders by the time when they were last started or continued."""
    return sorted(runs, key=_started, reverse=True)


def _started(run: Path) -> float:
    try:
        return (run / "config.yaml").lstat().st_mtime
    except (OSError, ValueError):
        return 0.0


def _last() -> Path | None:
    """The newest run of the current folder, else the user's newest run.

    Runs of the current folder are those inside it, and the user's last run if it was started from
    there.
    """
    run, home = _remembered()
    here = runs_of(Path.cwd())
    if run is not None and (home == Path.cwd() or not here):
        here.append(run)
    return max(here, key=_started).resolve() if here else None


def _remembered() -> tuple[Path | None, Path | None]:
    """The user's last run, and the folder that it was started from; None for unknown ones."""
    pointer = _pointer()
    if not pointer.exists():
        return None, None
    run, _, home = read_text(pointer, CheckpointError, limit=MIB).partition(_APART)
    if not os.path.exists(Path(run) / "config.yaml"):  # False for invalid paths as well
        return None, None
    return Path(run), Path(home) if home else None


def _pointer() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "genlab" / "last_run"
