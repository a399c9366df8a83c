"""What changes during training, as pure functions of the images seen so far.

A schedule holds no state, so an interrupted run resumes in the right place by itself. Wherever a
page takes a schedule, a plain number stands for `Constant`.
"""

from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Constant:
    """The same value all along."""

    value: float

    def __call__(self, images_seen: int) -> float:
        """The value, whatever `images_seen` is."""
        return self.value


@dataclass(frozen=True)
class Ramp:
    """`start` until `delay_images`, then a straight line that reaches `end` after `images` more.

    With `start=0` this is the KL annealing of Bowman et al. 2016 (https://arxiv.org/abs/1511.06349).
    """

    end: float
    images: int
    start: float = 0.0
    delay_images: int = 0

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError(
                f"images={self.images} must be at least 1; a constant is a plain number"
            )

    def __call__(self, images_seen: int) -> float:
        """The value after `images_seen` images."""
        progress = (images_seen - self.delay_images) / self.images
        return self.start + (self.end - self.start) * min(max(progress, 0.0), 1.0)


def as_schedule(value: float | Schedule) -> Schedule:
    """A schedule as it is, a number as a `Constant`."""
    return value if callable(value) else Constant(float(value))
