"""Strangers' run folders, pages, data and working directories, and the commands that meet them."""

import os
import random
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from trials import hostile_inputs, hostile_runs
from trials.case import TRAIN, Case
from trials.forked import run

LIMIT = 60.0  # seconds
MEMORY = 500.0  # MiB
REFUSED = (2, 3, 4)  # exit codes


class Met(NamedTuple):
    """What a command line met, and what was wrong with how it answered."""

    done: str
    wrong: str


def base(folder: Path) -> None:
    """A folder of images, `images`, and a run on it, `run`."""
    generator = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (folder / "images" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = generator.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / kind / f"{number}.png")
    words = (*TRAIN, "data=folder", f"data.path={folder / 'images'}", "hydra.run.dir=run")
    outcome = run((*words, "checkpoint.every_images=8"), folder)
    if outcome.code:
        raise RuntimeError(outcome.output)


def meet(case: Case, origin: Path, folder: Path) -> Met:
    """Put the case into a copy of the base and run its words."""
    inside = folder / "place"
    shutil.copytree(origin, inside, symlinks=True)
    file = inside / "run" / "config.yaml"
    file.write_text(file.read_text().replace(str(origin), str(inside)))
    canary = folder / "canary"
    (folder / "victim").write_text("precious")
    environment = {"CANARY": str(canary), "SECRET": "s3cr3t-v4lue", "HOME": str(folder / "home")}
    case.prepare(inside)
    before = _listing(folder)
    outcome = run(case.words, inside, environment, limit=LIMIT)
    wrong = []
    if canary.exists():
        wrong.append("CODE RAN")
    if changed := [name for name in _listing(folder) ^ before if not _ours(name[0])]:
        wrong.append(f"WRITTEN OUTSIDE: {changed[0][0]}")
    if outcome.code is None:
        wrong.append("HUNG")
    elif outcome.code not in REFUSED and not (case.harmless and outcome.code == 0):
        wrong.append(f"exit {outcome.code}: {outcome.line}")
    if outcome.peak_mib > MEMORY:
        wrong.append(f"{outcome.peak_mib:.0f} MiB")
    if outcome.code and ("Traceback" in outcome.output or not outcome.line.startswith("genlab: ")):
        wrong.append(f"not one line: {outcome.line}")
    if len(outcome.line) > 330:
        wrong.append(f"{len(outcome.line)} characters")
    if _spoken(folder, "s3cr3t-v4lue") or "s3cr3t-v4lue" in outcome.output:
        wrong.append("SECRET COPIED")
    return Met(f"{case.name}: {' '.join(case.words[:3])}", "; ".join(wrong))


def _listing(folder: Path) -> set[tuple[str, int]]:
    """Names and sizes of everything outside of the place where the command may write."""
    found = set()
    for parent, _, names in os.walk(folder):
        if Path(parent) != folder and "place" in Path(parent).relative_to(folder).parts[:1]:
            continue
        for name in names:
            file = Path(parent, name)
            found.add((str(file.relative_to(folder)), file.lstat().st_size))
    return found


def _ours(name: str) -> bool:
    return name.startswith(("home/.local/state", "home/.cache"))


def _spoken(folder: Path, secret: str) -> bool:
    files = [file for file in (folder / "place").rglob("*") if file.is_file()]
    small = [file for file in files if file.lstat().st_size < 10**6 and not file.is_symlink()]
    return any(secret.encode() in file.read_bytes() for file in small)


def drawn(count: int, seed: int) -> list[Case]:
    """So many cases, every one once before any comes again, in random order."""
    known = [*hostile_runs.cases(), *hostile_inputs.cases()]
    generator = random.Random(seed)
    found: list[Case] = []
    while len(found) < count:
        found += generator.sample(known, len(known))
    return found[:count]
