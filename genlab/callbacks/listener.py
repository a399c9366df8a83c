"""A search as the run under way sees it: what it looks at, and who listens."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Listener:
    """Hears the objective of the run under way, and says when to give it up."""

    def __init__(self, ask: Callable[[float, int], bool]) -> None:
        self._ask = ask
        self.pruned = False

    def hopeless(self, value: float, number: int) -> bool:
        """Whether a run whose measurement of this number has this value is not worth its time."""
        self.pruned = self._ask(value, number)
        return self.pruned


# What a search looks at where no objective is set: the first of these that a run records.
DEFAULTS = (
    "validation/loss",  # autoencoders
    "evaluation/frechet_distance",  # GANs with evaluate.every_images
    "validation/mse",  # translation of pairs, super-resolution
    "validation/cycle_mse",
    "validation/accuracy/",  # classifiers: the first label's
)


def objective_among(metrics: Iterable[str], wanted: str | None) -> str | None:
    """The metric that a search looks at: the one asked for, else the first of DEFAULTS.

    None where there is no such metric.
    """
    names = list(metrics)
    if wanted is not None:
        return wanted if wanted in names else None
    for usual in DEFAULTS:
        for name in names:
            if name == usual or (usual.endswith("/") and name.startswith(usual)):
                return name
    return None


_listeners: list[Listener] = []


def listener() -> Listener | None:
    """Who listens to the run under way in this process; None where no search is on."""
    return _listeners[-1] if _listeners else None


@contextmanager
def listening(trial: Any) -> Iterator[Listener]:
    """While the block runs, the trial hears the run's objective."""

    def ask(value: float, number: int) -> bool:
        trial.report(value, number)
        result: bool = trial.should_prune()
        return result

    found = Listener(ask)
    _listeners.append(found)
    try:
        yield found
    finally:
        _listeners.remove(found)
