"""Whether a measure that is taken again and again goes on rising."""

from collections.abc import Sequence

PATIENCE = 4  # measurements without a gain, after which an accuracy is level
_LEAST_GAIN = 0.002


def is_level(measured: Sequence[float]) -> bool:
    """Whether the last `PATIENCE` accuracies are no better than the best one before."""
    before, last = measured[:-PATIENCE], measured[-PATIENCE:]
    return bool(before) and max(last) < max(before) + _LEAST_GAIN
