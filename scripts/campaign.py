"""Interrupt, flood and mislead genlab some thousand times and print what held.

    python scripts/campaign.py [interrupted ranks signals hostile disks lines] [--seed 0]
        [--count N] [--out FOLDER]

Each part prints a row: tried, held; every trial that did not hold is printed with what was done
and what happened, and its folder is kept. Trials are forked from one process that has imported
everything and work below FOLDER (default: a new temporary folder) alone.

interrupted  runs killed at named points and at any moment, resumed, and compared bit for bit
ranks        the same with two processes
signals      SIGINT and SIGTERM to runs of one and two processes, in every phase
hostile      run folders, pages, data and working directories of strangers
disks        full and read-only disks
lines        fuzzed command lines
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads do not survive a fork

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from trials import hostile, interrupted, lines
from trials.disks import filled
from trials.forked import import_everything
from trials.interrupted import Case
from trials.signalled import signalled


class Trial(NamedTuple):
    """One trial: what was done, and what was wrong with the result ("" for nothing)."""

    done: str
    wrong: str


Part = Callable[[Path, int, int], Iterator[Trial]]

_SHARED = (
    "trainer=cpu",
    "data.resolution=8",
    "data.batch_size=16",
    "total_images=480",
    "samples.every_images=160",
    "samples.count=4",
    "log.every_images=80",
    "log.validate_every_images=240",
    "checkpoint.every_images=112",
    "checkpoint.every_minutes=null",
)
_DIGITS = ("data=digits", *_SHARED)
_GROWTH = ("model.stages.stable_images=96", "model.stages.fade_images=128", "model.stages.start=4")
_KINDS = ("data=avatar_styles", "data.first_count=40", "data.second_count=40", *_SHARED)
_POOL = "model.remedies.replay.size"
_REMEDIES = "replay,historical_averaging,r1,spectral_norm,flipped_labels,packing"
SCORED = ("evaluate.every_images=160", "evaluate.count=64")

CASES = (
    Case("dcgan", ("model=dcgan", "remedy=[ada,replay]", f"{_POOL}=40", *_DIGITS)),
    Case("vae", ("model=vae", *_DIGITS)),
    Case("vq_vae", ("model=vq_vae", *_DIGITS)),
    Case("stylegan", ("model=stylegan", *_DIGITS, *_GROWTH)),
    Case(
        "cyclegan",
        (
            "model=cyclegan",
            *_KINDS,
            f"{_POOL}=20",
            "model.translators.network.translator.width=4",
        ),
    ),
    Case(
        "greedy_autoencoder",
        ("model=greedy_autoencoder", *_DIGITS, "model.stages.images_per_block=100"),
    ),
    Case("scored", ("model=gan", "data=gaussian_grid", *_SHARED[2:], *SCORED)),
)
_TWO = ("trainer.accelerator=cpu", "trainer.devices=2")
RANKS = (
    Case(
        "remedies",
        (
            "model=dcgan",
            f"remedy=[ada,{_REMEDIES}]",
            f"{_POOL}=40",
            *_DIGITS,
            *_TWO,
        ),
        ranks=2,
    ),
    Case("cyclegan", (*CASES[4].words, *_TWO), ranks=2),
)


def _interrupted(cases: tuple[Case, ...]) -> Part:
    def part(folder: Path, seed: int, count: int) -> Iterator[Trial]:
        known = {}
        for number in range(count):
            case = cases[number % len(cases)]
            place = folder / f"{case.name}_{case.ranks}"
            if case.name not in known:
                whole = place / "whole"
                whole.mkdir(parents=True)
                started = time.monotonic()
                outcomes, points = interrupted.recorded(case, whole)
                if any(outcome.code for outcome in outcomes):
                    yield Trial(f"{case.name}: undisturbed", outcomes[0].line)
                    return
                known[case.name] = (points, time.monotonic() - started)
                print(f"  {case.name}: {known[case.name][1]:.1f} s undisturbed", flush=True)
            trial = place / str(seed + number)
            trial.mkdir()
            points, seconds = known[case.name]
            done, ends = interrupted.killed(
                case, trial, points, seconds, seed + number // len(cases)
            )
            wrong = "; ".join(f"{end.code}: {end.line}" for end in ends if end.code)
            wrong = wrong or "; ".join(interrupted.differences(place / "whole/run", trial / "run"))
            yield Trial(f"{case.name}: killed {done}", wrong)

    return part


def _signals(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    for number in range(seed, seed + count):
        place = folder / str(number)
        place.mkdir(parents=True)
        yield Trial(*signalled(place, number))


def _hostile(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    origin = folder / "origin"
    origin.mkdir(parents=True)
    hostile.base(origin)
    os.environ["GENLAB_DATA"] = "sets"
    for number, case in enumerate(hostile.drawn(count, seed)):
        place = folder / str(number)
        place.mkdir()
        met = hostile.meet(case, origin, place)
        if not met.wrong:
            shutil.rmtree(place)
        yield Trial(*met)


def _disks(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    whole = folder / "whole"
    whole.mkdir(parents=True)
    case = CASES[1]
    interrupted.recorded(case, whole)
    for number in range(seed, seed + count):
        place = folder / str(number)
        place.mkdir()
        try:
            yield Trial(*filled(case, whole / "run", place, number))
        except OSError as error:
            yield Trial("disks in memory", f"cannot be mounted here: {error}")
            return


def _lines(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    folder.mkdir(parents=True)
    material = lines.material(folder)
    for number, words in enumerate(lines.lines(seed, count, material)):
        place = folder / str(number)
        place.mkdir()
        typed = lines.typed(words, place)
        if not typed.wrong:
            shutil.rmtree(place)
        yield Trial(*typed)


PARTS: dict[str, tuple[Part, int]] = {
    "interrupted": (_interrupted(CASES), 300),
    "ranks": (_interrupted(RANKS), 40),
    "signals": (_signals, 40),
    "hostile": (_hostile, 300),
    "disks": (_disks, 40),
    "lines": (_lines, 1000),
}


def main() -> None:
    """Run the parts that are named and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, help="trials of each part (default: of the table)")
    parser.add_argument("--verbose", action="store_true", help="print what held, too")
    parser.add_argument("--out", type=Path, help="a folder to work in")
    arguments = parser.parse_args()
    folder = arguments.out or Path(tempfile.mkdtemp(prefix="genlab-campaign-"))
    os.environ["GENLAB_CACHE"] = str(folder / "cache")
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    import_everything()
    print(f"folder: {folder}", flush=True)
    rows = []
    for name in arguments.parts:
        part, count = PARTS[name]
        started, tried, held = time.monotonic(), 0, 0
        for trial in part(folder / name, arguments.seed, arguments.count or count):
            tried += 1
            held += not trial.wrong
            if trial.wrong or arguments.verbose:
                print(f"  {name} {trial.done}", flush=True)
            if trial.wrong:
                print(f"    {trial.wrong[:400]}", flush=True)
        rows.append((name, tried, held, time.monotonic() - started))
    print("| part | tried | held | seconds |\n|---|---|---|---|")
    for row in rows:
        print("| {} | {} | {} | {:.0f} |".format(*row))


if __name__ == "__main__":
    main()
