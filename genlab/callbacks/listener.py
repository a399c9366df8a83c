"""The connection of a run to a search: its objective, and the search's listener."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Listener:
    """Receives the objective of the current run, and decides whether to prune it."""

    def __init__(self, ask: Callable[[float, int], bool]) -> None:
        self._ask = ask
        self.pruned = False

    def hopeless(self, value: float, number: int) -> bool:
        """Whether to prune a run whose measurement with this number has this value."""
        self.pruned = self._ask(value, number)
        return self.pruned


# The objective of a search if none is set: the first of these that a run records.
DEFAULTS = (
    "validation/loss",  # autoencoders
    "evaluation/frechet_distance",  # GANs with evaluate.every_images
    "validation/mse",  # translation of pairs, super-resolution
    "validation/cycle_mse",
    "validation/accuracy/",  # classifiers: the first label's
)


def objective_among(metrics: Iterable[str], wanted: str | None) -> str | None:
    """The metric of a search's objective: the wanted one, else the first of DEFAULTS.

    None if there is no such metric.
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
    """The listener of the current run in this process; None without a search."""
    return _listeners[-1] if _listeners else None


@contextmanager
def listening(trial: Any) -> Iterator[Listener]:
    """While the block runs, the trial receives the run's objective."""

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
