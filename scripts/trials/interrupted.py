"""Runs that are killed at named points or at any moment, resumed, and compared."""

import io
import json
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trials.forked import Child, Outcome, fork

IGNORED = ("seconds", "images_per_second", "git_revision")
_PAIRS = ("replace", "rename")  # calls that take two paths
_CALLS = ("fsync", "unlink", *_PAIRS)


class Point(NamedTuple):
    """A call that a run makes: its name, with the file's, and the how-manieth of that name."""

    name: str
    number: int


@dataclass(frozen=True)
class Case:
    """A run that trials interrupt."""

    name: str
    words: tuple[str, ...]
    ranks: int = 1


def start(case: Case, folder: Path, words: tuple[str, ...], before: Any = None) -> list[Child]:
    """Start every rank of the case; a rank has `folder` as its working directory."""
    if case.ranks == 1:
        return [fork(words, folder, before=before)]
    port = str(random.SystemRandom().randrange(20_000, 60_000))
    shared = {"WORLD_SIZE": str(case.ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"TORCHELASTIC_RUN_ID": "trial", "LOCAL_WORLD_SIZE": str(case.ranks)}
    shared |= {"GLOO_SOCKET_IFNAME": "lo", "GROUP_RANK": "0"}
    return [
        fork(
            words,
            folder,
            {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            before if rank == 0 else None,
            folder / f"output-{rank}.log",
        )
        for rank in range(case.ranks)
    ]


def finish(children: list[Child], limit: float = 180.0) -> list[Outcome]:
    """Wait for all ranks; once one has died, the others are stopped as torchrun stops them."""
    outcomes: list[Outcome] = []
    for child in children:
        outcomes.append(child.wait(limit))
        if outcomes[-1].code not in (0, None):
            limit = 5.0
    return outcomes


def recorded(case: Case, folder: Path) -> tuple[list[Outcome], list[Point]]:
    """Run the case undisturbed in `folder`/run; the points that its first rank passes."""
    file = folder / "points.json"

    def before() -> None:
        points: list[Point] = []

        def note(point: Point) -> None:
            points.append(point)
            if point.name == "batch" or "summary" in point.name:
                file.write_text(json.dumps(points))

        _watch(note, lambda point: None)

    words = ("train", *case.words, f"hydra.run.dir={folder / 'run'}")
    outcomes = finish(start(case, folder, words, before))
    return outcomes, [Point(*each) for each in json.loads(file.read_text())]


def killed(
    case: Case, folder: Path, points: list[Point], seconds: float, seed: int
) -> tuple[str, list[Outcome]]:
    """Run the case in `folder`/run, killed once or twice, then to its end.

    Returns what was done to it and how the last part of it ended. Odd seeds kill at a point,
    even ones after a random time.
    """
    drawn = random.Random(f"{case.name} {seed}")
    done = []
    words: tuple[str, ...] = ("train", *case.words, f"hydra.run.dir={folder / 'run'}")
    for _ in range(1 + (seed % 5 == 0)):
        if seed % 2:
            names = sorted({point.name for point in points})
            name = names[(seed // 2 + drawn.randrange(2)) % len(names)]
            point = drawn.choice([each for each in points if each.name == name])
            side = drawn.choice(("before", "after"))
            done.append(f"{side} {point.name} #{point.number}")
            children = start(case, folder, words, lambda p=point, s=side: _kill_at(p, s))
        else:
            children = start(case, folder, words)
            delay = drawn.uniform(0.02, 1.05) * seconds
            done.append(f"after {delay:.2f} s")
            _kill_after(children, delay)
        finish(children, limit=90)
        if (folder / "run" / "config.yaml").exists():
            words = ("train", f"resume={folder / 'run'}")
    return ", ".join(done), finish(start(case, folder, words))


def differences(one: Path, other: Path) -> Iterator[str]:
    """What differs between two run folders besides times and logs."""
    skipped = (
        "events.out.tfevents",
        "train.log",
        "torchrun.log",
        "config.yaml",
        "overrides.yaml",
        ".lock",
    )
    names = [
        {
            str(file.relative_to(folder))
            for file in folder.rglob("*")
            if file.is_file() and not str(file.relative_to(folder)).startswith(skipped)
        }
        for folder in (one, other)
    ]
    yield from (f"{name} is in one run only" for name in sorted(names[0] ^ names[1]))
    for name in sorted(names[0] & names[1]):
        first, second = one / name, other / name
        if name.endswith(".sha256"):
            continue  # of a file with times in it
        if name.endswith(".ckpt"):
            yield from _state_differences(_loaded(first), _loaded(second), name)
        elif name.endswith(".json"):
            pair = [json.loads(file.read_text()) for file in (first, second)]
            yield from _state_differences(*pair, name)
        elif first.read_bytes() != second.read_bytes():
            yield f"{name} differs"


def _loaded(path: Path) -> Any:
    import torch

    return torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)


def _state_differences(one: Any, other: Any, place: str) -> Iterator[str]:
    import torch

    if isinstance(one, dict) and isinstance(other, dict):
        yield from (f"{place}: {key} in one only" for key in one.keys() ^ other.keys())
        for key in one.keys() & other.keys():
            if key not in IGNORED:
                yield from _state_differences(one[key], other[key], f"{place}:{key}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            yield f"{place}: {len(one)} and {len(other)} entries"
        for number, pair in enumerate(zip(one, other, strict=False)):
            yield from _state_differences(*pair, f"{place}:{number}")
    elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.shape != other.shape or not torch.equal(one, other):
            yield f"{place} differs"
    elif one != other and not (one != one and other != other):
        yield f"{place}: {one} and {other}"


def _kill_after(children: list[Child], delay: float) -> None:
    time.sleep(delay)
    for child in children:
        try:
            child.signal_group(signal.SIGKILL)
        except ProcessLookupError:
            continue


def _kill_at(point: Point, side: str) -> None:
    def strike(reached: Point) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def spare(reached: Point) -> None:
        """The other side of the call."""

    _watch(*((strike, spare) if side == "before" else (spare, strike)))


def _watch(before: Callable[[Point], None], after: Callable[[Point], None]) -> None:
    """Call `before` and `after` around every point that this process passes from now on."""
    counts: dict[str, int] = {}

    def watched(call: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        def around(*arguments: Any, **named: Any) -> Any:
            told = name(*arguments)
            counts[told] = counts.get(told, 0) + 1
            point = Point(told, counts[told])
            before(point)
            result = call(*arguments, **named)
            after(point)
            return result

        return around

    def file_of(argument: Any) -> str:
        if isinstance(argument, int):
            argument = os.readlink(f"/proc/self/fd/{argument}")
        return _general(Path(os.fsdecode(argument)).name)

    def named(call: str) -> Callable[..., str]:
        """The call with the file that it is about, of two the last one."""
        return lambda *arguments: f"{call} {file_of(arguments[: 1 + (call in _PAIRS)][-1])}"

    for call in _CALLS:
        setattr(os, call, watched(getattr(os, call), named(call)))
    from genlab.data.stream import Stream

    Stream.at = watched(Stream.at, lambda *_: "batch")


def _general(name: str) -> str:
    """A file's name without numbers and random parts."""
    name = re.sub(r"\.[0-9a-f]{8}\.part$", ".part", name)
    return re.sub(r"\d+", "N", name)
