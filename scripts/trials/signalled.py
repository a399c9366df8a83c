"""Runs of one and two processes that receive SIGINT or SIGTERM in any phase."""

import csv
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trials.forked import Child, Outcome, fork

TARGETS = ("process", "one rank", "all ranks", "group")
PHASES = ("start-up", "training", "validation", "end")
_BATCH = 16
_WORDS = (
    "train",
    "data=digits",
    "data.resolution=8",
    f"data.batch_size={_BATCH}",
    "samples.count=4",
    "checkpoint.every_minutes=null",
    "trainer.accelerator=cpu",
)


class Signalled(NamedTuple):
    """What was sent to whom and when, and how the run ended."""

    done: str
    wrong: str


def signalled(folder: Path, seed: int) -> Signalled:
    """Start a run in `folder`/run, signal it, and look at what is left."""
    drawn = random.Random(seed)
    processes = 2 if seed % 4 else 1
    target, phase = TARGETS[seed % len(TARGETS)], PHASES[seed // len(TARGETS) % len(PHASES)]
    number = drawn.choice((signal.SIGINT, signal.SIGTERM))
    run = folder / "run"
    total = _BATCH * processes * 60 if phase == "end" else 10**9
    every = {"log.every_images": _BATCH * processes, "samples.every_images": 10**6}
    every["log.validate_every_images"] = _BATCH * processes if phase == "validation" else 10**6
    words = [*_WORDS, "model=vae" if phase == "validation" else "model=dcgan"]
    words += [f"{key}={value}" for key, value in every.items()]
    words += [f"trainer.devices={processes}", f"total_images={total}", f"hydra.run.dir={run}"]
    child = fork(words, folder)
    said = f"{number.name} to {target} of {processes} in {phase}"
    try:
        waited = _wait(child, run, phase, drawn)
        if not waited:
            return Signalled(said, f"did not get there: {child.wait(1).line}")
        _send(child, number, target if processes > 1 else "process")
        outcome = child.wait(90)
        return Signalled(said, "; ".join(_wrong(run, outcome, number, processes, phase)))
    finally:
        for pid in _descendants(child.pid) + _naming(run):
            os.kill(pid, signal.SIGKILL)


def _wait(child: Child, run: Path, phase: str, drawn: random.Random) -> bool:
    """Wait for the phase; False where the run ended or hung before it."""
    if phase == "start-up":
        time.sleep(drawn.uniform(0.5, 9.0))
        return True
    deadline = time.monotonic() + 120
    rows = 55 if phase == "end" else drawn.randrange(2, 20)
    while len(_rows(run)) < rows:
        if time.monotonic() > deadline or not _alive(child.pid):
            return False
        time.sleep(0.005)
    time.sleep(drawn.uniform(0, 0.3))
    return True


def _send(child: Child, number: int, target: str) -> None:
    ranks = [pid for pid in _descendants(child.pid) if "genlab.jobs.train" in _line(pid)]
    ranks = [pid for pid in ranks if "distributed.run" not in _line(pid)]
    chosen = {"process": [child.pid], "one rank": ranks[-1:], "all ranks": ranks}.get(target)
    if chosen is None:
        chosen = [child.pid, *_descendants(child.pid)]
    for pid in chosen or [child.pid]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _wrong(run: Path, outcome: Outcome, number: int, processes: int, phase: str) -> Iterator[str]:
    finished = phase == "end" and outcome.code == 0
    if outcome.code != 128 + number and not finished:
        yield f"exit {outcome.code}: {outcome.line}"
    if outcome.code is None:
        yield "hung"
    time.sleep(0.5)
    left = _naming(run)
    deadline = time.monotonic() + 30
    while left and time.monotonic() < deadline:
        time.sleep(0.2)
        left = _naming(run)
    if left:
        yield f"still running: {_line(left[0])}"
    rows = _rows(run)
    seen = int(rows[-1]["images_seen"]) if rows else 0
    saved = sorted((run / "checkpoints").glob("*.ckpt"))
    kept = int(saved[-1].stem.split("-")[1]) if saved else 0
    if seen - kept > _BATCH * processes:
        yield f"{seen} images seen, {kept} saved"


def _rows(run: Path) -> list[dict[str, str]]:
    file = run / "metrics.csv"
    if not file.exists():
        return []
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _naming(run: Path) -> list[int]:
    """Living processes, this one apart, whose command line names the run folder."""
    pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if str(run) in _line(pid) and pid != os.getpid() and _alive(pid)]


def _descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, left = [], [pid]
    while left:
        children = parents.get(left.pop(), [])
        found += children
        left += children
    return found


assert sys.platform == "linux"
