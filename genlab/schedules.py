"""What changes during training, as pure functions of the images seen so far.

A schedule holds no state, so an interrupted run resumes in the right place by itself. Wherever a
page takes a schedule, a plain number stands for `Constant`.
"""

import math
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
        _check_images(self.images)

    def __call__(self, images_seen: int) -> float:
        """The value after `images_seen` images."""
        progress = (images_seen - self.delay_images) / self.images
        return self.start + (self.end - self.start) * min(max(progress, 0.0), 1.0)


def as_schedule(value: float | Schedule) -> Schedule:
    """A schedule as it is, a number as a `Constant`."""
    return value if callable(value) else Constant(float(value))


@dataclass(frozen=True)
class Cosine:
    """`start` until `delay_images`, then along half a cosine to `end` after `images` in all.

    Loshchilov & Hutter 2017, equation 5 without restarts, https://arxiv.org/abs/1608.03983.
    """

    images: int
    start: float = 1.0
    end: float = 0.0
    delay_images: int = 0

    def __post_init__(self) -> None:
        _check_images(self.images)

    def __call__(self, images_seen: int) -> float:
        """The value after `images_seen` images."""
        falling = max(self.images - self.delay_images, 1)
        progress = min(max((images_seen - self.delay_images) / falling, 0.0), 1.0)
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * progress)) / 2


Stage = dict[str, int]
"""The keyword arguments that networks receive now."""

Stages = Callable[[int], Stage]


@dataclass(frozen=True)
class Whole:
    """No stages: the networks are trained as a whole, all along."""

    def __call__(self, images_seen: int) -> Stage:
        """Nothing to tell."""
        return {}


@dataclass(frozen=True)
class Greedy:
    """One block after another for `images_per_block` images each, then all of them together.

    A run that ends with the last block has no fine-tuning.
    """

    blocks: int
    images_per_block: int

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise ValueError(f"blocks={self.blocks} must be at least 1")
        _check_images(self.images_per_block, "images_per_block")

    def __call__(self, images_seen: int) -> Stage:
        """The block that is trained now, {} for all."""
        block = images_seen // self.images_per_block
        return {"block": block} if block < self.blocks else {}


@dataclass(frozen=True)
class Unfreeze:
    """Pre-trained layers held still at first, then freed, the last one first.

    Gradual unfreezing of Howard & Ruder 2018, section 3.3, https://arxiv.org/abs/1801.06146.

    Args:
        frozen_images: as long nothing but the new layers learns; 0 for not at all.
        images_per_block: from one freed block to the next; 0 frees all at once.
    """

    frozen_images: int
    images_per_block: int = 0

    def __post_init__(self) -> None:
        for name in ("frozen_images", "images_per_block"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")

    def __call__(self, images_seen: int) -> Stage:
        """How many of the last blocks are trainable, {} for all."""
        if images_seen < self.frozen_images:
            return {"trainable": 0}
        if not self.images_per_block:
            return {}
        return {"trainable": 1 + (images_seen - self.frozen_images) // self.images_per_block}


def _check_images(images: int, name: str = "images") -> None:
    if images < 1:
        raise ValueError(f"{name}={images} must be at least 1")
