"""Batches as a pure function of (seed, rank, images seen)."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.data.image_set import ImageSet

_MASK = 2**64 - 1


class Batch(NamedTuple):
    """images: uint8 (B, C, H, W); labels: int64 (B,) by name."""

    images: Tensor
    labels: dict[str, Tensor]


def mix(*numbers: int) -> int:
    """One well-spread seed in [0, 2^63) from several integers (the finaliser of splitmix64)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1


def take(image_set: ImageSet, indices: np.ndarray) -> Batch:
    """The images at `indices`, (B,), with their labels."""
    return Batch(
        torch.from_numpy(image_set.images[indices]),
        {name: torch.from_numpy(values[indices]) for name, values in image_set.labels.items()},
    )


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with everything in it on the device."""
    labels = {name: values.to(device) for name, values in batch.labels.items()}
    return Batch(batch.images.to(device), labels)


def shifted(images: Tensor, offsets: Tensor) -> Tensor:
    """Images (B, C, H, W), each moved down and right by its offsets (2, B); borders are repeated.

    The same as to pad every image by its border and to crop it at random.
    """
    height, width = images.shape[-2:]
    rows = (torch.arange(height) - offsets[0][:, None]).clamp(0, height - 1)
    columns = (torch.arange(width) - offsets[1][:, None]).clamp(0, width - 1)
    places = torch.arange(len(images))[:, None, None]
    moved = images.permute(0, 2, 3, 1)[places, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous()


class Stream:
    """An endless stream of shuffled training batches that holds no position of its own.

    Epoch e is the permutation drawn with seed (seed, e); epochs follow each other without a gap.
    When `images_seen()` images have been consumed over all ranks, rank r gets the images at
    positions images_seen + r * batch_size() onwards. Nothing has to be saved to resume it.

    With several `groups` of positions a batch holds as many images of each, one group after
    another, and every group has epochs of its own, whatever their sizes.
    """

    def __init__(
        self,
        image_set: ImageSet,
        groups: Sequence[np.ndarray],
        batch_size: Callable[[], int],
        seed: int,
        images_seen: Callable[[], int],
        flip: bool = False,
        crop: int = 0,
        rank: int = 0,
    ) -> None:
        self.image_set = image_set
        self.groups = groups
        self.batch_size = batch_size
        self.seed = seed
        self.images_seen = images_seen
        self.flip = flip
        self.crop = crop
        self.rank = rank
        self._orders: list[dict[int, np.ndarray]] = [{} for _ in groups]

    def __len__(self) -> int:
        """Practically endless; a stated length keeps Lightning from fetching ahead."""
        return 10**15

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self.at(self.images_seen())

    def at(self, images_seen: int) -> Batch:
        """This rank's batch once `images_seen` images have been consumed by all ranks."""
        size = self.batch_size()
        start = images_seen + self.rank * size
        shares = len(self.groups)
        windows = [
            self._window(group, start // shares, (start + size) // shares)
            for group in range(shares)
        ]
        batch = take(self.image_set, np.concatenate(windows))
        if self.flip:
            generator = torch.Generator().manual_seed(mix(self.seed, start, 1))
            mirrored = torch.rand(size, generator=generator) < 0.5
            batch.images[mirrored] = batch.images[mirrored].flip(-1)
        if self.crop:
            generator = torch.Generator().manual_seed(mix(self.seed, start, 2))
            offsets = torch.randint(-self.crop, self.crop + 1, (2, size), generator=generator)
            return batch._replace(images=shifted(batch.images, offsets))
        return batch

    def _window(self, group: int, start: int, stop: int) -> np.ndarray:
        size = len(self.groups[group])
        parts = []
        while start < stop:
            epoch, offset = divmod(start, size)
            length = min(stop - start, size - offset)
            parts.append(self._order(group, epoch)[offset : offset + length])
            start += length
        return np.concatenate(parts)

    def _order(self, group: int, epoch: int) -> np.ndarray:
        orders = self._orders[group]
        if epoch not in orders:
            seeds = (epoch, group) if group else (epoch,)
            generator = np.random.Generator(np.random.PCG64(mix(self.seed, *seeds)))
            for old in orders.keys() - {epoch - 1}:
                del orders[old]
            orders[epoch] = generator.permutation(self.groups[group])
        return orders[epoch]
