"""Disks that are full, or cannot be written to: small ones in memory, mounted below a folder."""

import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from trials.forked import Outcome, run
from trials.interrupted import Case, differences

_ROOM = "400m"
RESOURCE = 5  # the exit code
_CAUSES = ("full", "space", "free", "read-only")  # what a message has to name


class Filled(NamedTuple):
    """What the disk was, and what was wrong with how a run ended."""

    done: str
    wrong: str


@contextmanager
def disk(folder: Path, size: str, *options: str) -> Iterator[None]:
    """A disk of `size` in memory at `folder`; OSError where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    _call("mount", "-t", "tmpfs", "-o", ",".join((f"size={size}", *options)), "genlab", str(folder))
    try:
        yield
    finally:
        _call("umount", "--lazy", str(folder))


def resized(folder: Path, *options: str) -> None:
    """Give the disk at `folder` another size, or take away the right to write."""
    _call("mount", "-o", ",".join(("remount", *options)), str(folder))


def filled(case: Case, whole: Path, folder: Path, seed: int) -> Filled:
    """Run the case on a disk too small for it, give it room, and run it to its end."""
    kind = ("run", "cache", "read-only")[seed % 3 if seed % 4 else 0]
    place = folder / "disk"
    if kind == "read-only":
        return _read_only(case, place)
    used = sum(file.stat().st_size for file in whole.rglob("*") if file.is_file())
    share = random.Random(seed).uniform(0.02, 0.95)
    size = max(int(used * share) // 1024, 4)
    said = f"{kind} on a disk of {size} KiB"
    where = folder if kind == "cache" else place
    environment = {"GENLAB_CACHE": str(place / "cache")} if kind == "cache" else {}
    with disk(place, f"{size if kind == 'run' else 8}k"):
        words = ("train", *case.words, f"hydra.run.dir={where / 'run'}")
        outcome = run(words, folder, environment)
        wrong = list(_unlike(outcome, RESOURCE, 0))
        resized(place, f"size={_ROOM}")
        if (where / "run" / "config.yaml").exists():
            words = ("train", f"resume={where / 'run'}")
        outcome = run(words, folder, environment)
        wrong += [f"then {each}" for each in _unlike(outcome, 0)]
        if not outcome.code:
            # An older checkpoint may have gone, to make room for the last one.
            dropped = re.compile(r"checkpoints/\S+ is in one run only")
            found = differences(whole, where / "run")
            wrong += [each for each in found if not dropped.fullmatch(each)]
    return Filled(said, "; ".join(wrong))


def _read_only(case: Case, place: Path) -> Filled:
    """A finished run on a disk that cannot be written to: used, and refused where it must be."""
    wrong: list[str] = []
    with disk(place, _ROOM):
        run(("train", *case.words, f"hydra.run.dir={place / 'run'}"), place.parent)
        resized(place, "ro")
        for words, code in (
            (("sample", f"run={place / 'run'}", "count=2", f"out={place.parent / 'a.png'}"), 0),
            (("sample", f"run={place / 'run'}", "count=2"), RESOURCE),
            (("train", f"resume={place / 'run'}", "total_images=9000"), RESOURCE),
            (("train", *case.words, f"hydra.run.dir={place / 'new'}"), RESOURCE),
        ):
            outcome = run(words, place.parent)
            wrong += [f"{words[0]}: {each}" for each in _unlike(outcome, code)]
    return Filled("read-only disk", "; ".join(wrong))


def _unlike(outcome: Outcome, *codes: int) -> Iterator[str]:
    if outcome.code not in codes:
        yield f"exit {outcome.code}: {outcome.line}"
    elif outcome.code and "Traceback" in outcome.output:
        yield f"a traceback: {outcome.line}"
    elif outcome.code and not any(word in outcome.line.lower() for word in _CAUSES):
        yield f"unclear: {outcome.line}"


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
