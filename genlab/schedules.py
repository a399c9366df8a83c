"""What changes during training, as pure functions of the images seen so far.

A schedule holds no state, so an interrupted run resumes in the right place by itself. Wherever a
page takes a schedule, a plain number stands for `Constant`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from genlab import bounds
from genlab.sizes import Resolution, Size, doublings, height_and_width

T = TypeVar("T")
Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Constant:
    """The same value all along."""

    value: float

    def __post_init__(self) -> None:
        bounds.finite(value=self.value)

    @property
    def ends(self) -> tuple[float, ...]:
        """What lies furthest apart of its values."""
        return (self.value,)

    def __call__(self, images_seen: int) -> float:
        """The value, whatever `images_seen` is."""
        return self.value


@dataclass(frozen=True, kw_only=True)
class _Course:
    """From `start` to `end`, which is reached after a number of images."""

    images: int
    start: float
    end: float
    delay_images: int = 0

    def __post_init__(self) -> None:
        bounds.finite(start=self.start, end=self.end)
        bounds.whole(1, images=self.images)
        bounds.whole(0, delay_images=self.delay_images)

    @property
    def ends(self) -> tuple[float, ...]:
        """What lies furthest apart of its values."""
        return self.start, self.end


@dataclass(frozen=True, kw_only=True)
class Ramp(_Course):
    """`start` until `delay_images`, then a straight line that reaches `end` after `images` more.

    With `start=0` this is the KL annealing of Bowman et al. 2016 (https://arxiv.org/abs/1511.06349).
    """

    start: float = 0.0

    def __call__(self, images_seen: int) -> float:
        """The value after `images_seen` images."""
        progress = (images_seen - self.delay_images) / self.images
        return self.start + (self.end - self.start) * min(max(progress, 0.0), 1.0)


def as_schedule(value: float | Schedule) -> Schedule:
    """A schedule as it is, a number as a `Constant`."""
    return value if callable(value) else Constant(float(value))


@dataclass(frozen=True, kw_only=True)
class Cosine(_Course):
    """`start` until `delay_images`, then along half a cosine to `end` after `images` in all.

    Loshchilov & Hutter 2017, equation 5 without restarts, https://arxiv.org/abs/1608.03983.
    """

    start: float = 1.0
    end: float = 0.0

    def __call__(self, images_seen: int) -> float:
        """The value after `images_seen` images."""
        falling = max(self.images - self.delay_images, 1)
        progress = min(max((images_seen - self.delay_images) / falling, 0.0), 1.0)
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * progress)) / 2


FIRST_INTERVAL = 20_000
_INTERVALS = 20  # as many of one length as fit into the images seen so far


def growing_interval(images_seen: int) -> int:
    """Images from one event to the next of a row that gets sparser as a run gets longer.

    20 000 up to image 1 000 000, from there on the largest of 1, 2 and 5 times a power of ten that
    is at most a twentieth of the images seen: 50 000 up to image 2 000 000, 100 000 up to
    4 000 000, 200 000 up to 10 000 000, and so on. Each length begins at a multiple of itself.
    """
    most = images_seen // _INTERVALS
    power: int = 10 ** (len(str(most)) - 1)
    length = max(factor * power for factor in (1, 2, 5) if factor * power <= max(most, 1))
    return max(length, FIRST_INTERVAL)


Stage = dict[str, Any]
"""The keyword arguments that networks receive now."""


class Stages(ABC):
    """What the networks receive, and what else depends on it, as functions of images seen."""

    @abstractmethod
    def __call__(self, images_seen: int) -> Stage:
        """The stage."""

    def name(self, images_seen: int) -> str:
        """The stage in words, the same for all of it."""
        stage = self(images_seen)
        return ", ".join(f"{k} {v}" for k, v in stage.items()) or "the whole model"

    def rate(self, images_seen: int) -> float:
        """What learning rates are multiplied by."""
        return 1.0

    def batch_size(self, images_seen: int, default: int) -> int:
        """Images of a batch and process."""
        return default

    def renews_optimizers(self, before: int, now: int) -> bool:
        """Whether optimizers forget what they gathered, between two counts of images."""
        return False


@dataclass(frozen=True)
class Whole(Stages):
    """No stages: the networks are trained as a whole, all along."""

    def __call__(self, images_seen: int) -> Stage:
        """Nothing to tell."""
        return {}


@dataclass(frozen=True)
class Greedy(Stages):
    """One block after another for `images_per_block` images each, then all of them together.

    A run that ends with the last block has no fine-tuning.
    """

    blocks: int
    images_per_block: int

    def __post_init__(self) -> None:
        bounds.whole(1, blocks=self.blocks, images_per_block=self.images_per_block)

    def __call__(self, images_seen: int) -> Stage:
        """The block that is trained now, {} for all."""
        block = images_seen // self.images_per_block
        return {"block": block} if block < self.blocks else {}


@dataclass(frozen=True)
class Unfreeze(Stages):
    """Pre-trained layers held still at first, then freed, the last one first.

    Gradual unfreezing of Howard & Ruder 2018, section 3.3, https://arxiv.org/abs/1801.06146.

    Args:
        frozen_images: as long nothing but the new layers learns; 0 for not at all.
        images_per_block: from one freed block to the next; 0 frees all at once.
    """

    frozen_images: int
    images_per_block: int = 0

    def __post_init__(self) -> None:
        bounds.whole(0, frozen_images=self.frozen_images, images_per_block=self.images_per_block)

    def __call__(self, images_seen: int) -> Stage:
        """How many of the last blocks are trainable, {} for all."""
        if images_seen < self.frozen_images:
            return {"trainable": 0}
        if not self.images_per_block:
            return {}
        return {"trainable": 1 + (images_seen - self.frozen_images) // self.images_per_block}


@dataclass(frozen=True)
class Growth(Stages):
    """From `start` pixels to `resolution`, doubled again and again, every new size faded in.

    Karras et al. 2018, section 2 and appendix A, https://arxiv.org/abs/1710.10196. Optimizers start
    anew at both ends of a fade. A stage is named by the smaller side of its images: those of
    48 x 80 grow from 6 x 10, by stages of 6, 12, 24 and 48 pixels (see `sizes.doublings`).

    Args:
        resolution: at the end, for which `doublings` must exist.
        start: the first stage, in pixels of the smaller side: a stage or a power of two, of which
            it is the next stage; where it is above the last one, that.
        fade_images: length of a fade.
        stable_images: from the end of one fade, or the beginning, to the next.
        batch_sizes: by stage, where they are not the data's. A stage without an entry takes that of
            the power of two that is next to the side of a square of its area: of 8 for 6 x 10.
        rates: factors of the learning rates by stage, where they are not 1; found in the same way.
    """

    resolution: Resolution
    start: int = 4
    fade_images: int = 600_000
    stable_images: int = 600_000
    batch_sizes: Mapping[int, int] = field(default_factory=dict)
    rates: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds.whole(1, fade_images=self.fade_images, stable_images=self.stable_images)
        bounds.whole(1, start=self.start)
        bounds.whole(1, batch_sizes=list(self.batch_sizes.values()))
        bounds.above(0, rates=list(self.rates.values()))
        bounds.within(0, bounds.FASTEST, rates=list(self.rates.values()))
        stages = [size.smaller for size in doublings(self.resolution)]
        power_of_two = not self.start & (self.start - 1)
        if self.start < 4 or not (power_of_two or self.start in stages or self.start > stages[-1]):
            raise ValueError(
                f"start={self.start} must be a power of two, at least 4, or one of the stages "
                f"{', '.join(map(str, stages))} that resolution={self.resolution} has"
            )

    def __call__(self, images_seen: int) -> Stage:
        """The resolution and how far it is faded in, from 0 to 1."""
        number, fade = self._at(images_seen)
        return {"resolution": self._sizes[number].smaller, "fade": fade}

    def name(self, images_seen: int) -> str:
        """The resolution, and whether it is being faded in."""
        stage = self(images_seen)
        name = "resolution {resolution}".format_map(stage)
        return name if stage["fade"] >= 1 else f"{name}, fading in"

    def rate(self, images_seen: int) -> float:
        """That of the resolution."""
        return self._entry(self.rates, images_seen, 1.0)

    def batch_size(self, images_seen: int, default: int) -> int:
        """That of the resolution."""
        return self._entry(self.batch_sizes, images_seen, default)

    def renews_optimizers(self, before: int, now: int) -> bool:
        """Where a fade has begun or ended between the two."""
        return self.name(before) != self.name(now)

    @property
    def _sizes(self) -> list[Size]:
        """Of all stages."""
        found = [s for s in doublings(self.resolution) if s.smaller >= self.start]
        return found or [height_and_width(self.resolution)]

    def _entry(self, entries: Mapping[int, T], images_seen: int, default: T) -> T:
        """That of the stage, or of the power of two next to it."""
        size = self._sizes[self._at(images_seen)[0]]
        near: int = 2 ** round(math.log2(size.mean_side))
        return entries.get(size.smaller, entries.get(near, default))

    def _at(self, images_seen: int) -> tuple[int, float]:
        """The number of the stage, from 0, and the fade."""
        most = len(self._sizes) - 1
        number, since = divmod(
            max(images_seen - self.stable_images, 0), self.fade_images + self.stable_images
        )
        if images_seen < self.stable_images or number >= most:
            return (0 if images_seen < self.stable_images else most), 1.0
        return number + 1, min(since / self.fade_images, 1.0)
