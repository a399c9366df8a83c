"""Images in NumPy's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from genlab.data.containers.container import Container, Limit
from genlab.data.labels.columns import Column
from genlab.data.listing import PARTS
from genlab.data.source import stamp
from genlab.errors import ConfigError, DataError, DataMissing
from genlab.io.arrays import map_npz, read_npy
from genlab.words import base_name, near_miss, readable

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".npy", ".npz")
_IMAGES = ("images", "image", "x", "data", "arr_0")
_LABELS = ("labels", "label", "y", "targets", "target")
_CHANNELS = (1, 2, 3, 4)  # grey, with alpha, RGB, with alpha


class _Block(NamedTuple):
    """Images of one part of a set.

    Attributes:
        part: train, val or test; None where there are no parts.
        images: uint8 (N, H, W) or (N, H, W, C), mapped where that is possible.
        labels: (N,) by name.
    """

    part: str | None
    images: np.ndarray
    labels: dict[str, np.ndarray]


class Arrays(Container):
    """The images of an .npy or .npz file, uint8 (N, H, W), (N, H, W, C) or (N, C, H, W).

    Channels are the last axis where that has 1 to 4 values, else the second one. An .npz may hold
    labels, one for each image: "labels", "y" or "targets", or "labels/NAME" for several. Arrays
    of train, val and test, as "x_train" or "train_images", are parts of one set.

    Args:
        path: the file.
        column: the name of the images in an .npz; None to find them.
    """

    kind: ClassVar[str] = "Arrays"
    has_columns: ClassVar[bool] = True

    def __init__(self, path: Path, column: str | None = None) -> None:
        super().__init__(path)
        self.column = column

    def __getstate__(self) -> dict[str, Any]:
        """Without the arrays, which every process maps for itself."""
        return {key: value for key, value in self.__dict__.items() if key != "_blocks"}

    @cached_property
    def names(self) -> Sequence[str]:
        """The number of each image within its array."""
        several = len(self._blocks) > 1
        return [
            f"{block.part}/{number}" if several else str(number)
            for block in self._blocks
            for number in range(len(block.images))
        ]

    @property
    def about(self) -> str:
        """The file's name."""
        return f"of the file {base_name(self.path)}"

    def stamp(self) -> str:
        """Of the file's name, size and time, and of the array."""
        if not self.path.is_file():
            fix = "name an .npy or .npz file"
            raise DataMissing(f"data.path={readable(self.path)} does not exist", fix)
        return stamp(self.path.parent, [self.path]) + (f":{self.column}" if self.column else "")

    def columns(self) -> Sequence[Column] | None:
        """The arrays of labels; None where there are none."""
        names = dict.fromkeys(name for block in self._blocks for name in block.labels)
        columns = []
        for name in names:
            values: list[Any] = []
            for block in self._blocks:
                told = block.labels.get(name)
                values += [None] * len(block.images) if told is None else told.tolist()
            columns.append(Column(name, values))
        return columns or None

    @contextmanager
    def opened(self, position: int, limit: Limit) -> Iterator[Image]:
        """An image as it is in its array."""
        from PIL import Image as Pillow

        pixels = self._pixels(position)
        height, width = pixels.shape[:2]
        if height * width > limit.max_pixels:
            raise DataError(
                f"{self.whereabouts(position)} cannot be used: {width} x {height} pixels are too "
                f"many, more than {limit.key}={limit.max_pixels}; {limit.fix}"
            )
        yield Pillow.fromarray(np.ascontiguousarray(pixels))

    @cached_property
    def _blocks(self) -> list[_Block]:
        path = readable(self.path)
        self.stamp()
        if self.path.name.lower().endswith(".npy"):
            arrays = {"images": read_npy(self.path, DataError, mapped=True, follow=True)}
        else:
            arrays = map_npz(self.path, DataError)
        found = _found(arrays, self.column, path)
        if not any(len(block.images) for block in found):
            raise DataMissing(f"data.path={path} holds no images", "name another file")
        return found

    def _pixels(self, position: int) -> np.ndarray:
        for block in self._blocks:
            if position < len(block.images):
                pixels: np.ndarray = block.images[position]
                return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
            position -= len(block.images)
        raise IndexError(position)


def _found(arrays: dict[str, np.ndarray], wanted: str | None, path: str) -> list[_Block]:
    """The images and labels among arrays, train first and test last."""
    if wanted is not None and wanted not in arrays:
        raise ConfigError(f"data.column={wanted} is not in {path}{near_miss(wanted, arrays)}")
    images: dict[str | None, str] = {None: wanted} if wanted else _by_part(arrays, _IMAGES)
    if not images:
        like = [name for name, array in arrays.items() if array.ndim in (3, 4)]
        if len(like) != 1:
            told = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())[:200]
            raise DataError(
                f"data.path={path}: none or several of its arrays may be the images ({told}): set "
                "data.column=NAME, or call them images"
            )
        images = {None: like[0]}
    labels = _by_part(arrays, _LABELS)
    blocks = []
    for part in sorted(images, key=lambda part: (*PARTS, None).index(part)):
        pictures = _channels_last(arrays[images[part]], f"{path}: {images[part]}")
        said = {"label": arrays[labels[part]]} if part in labels else {}
        if part is None:
            said |= {
                name.removeprefix("labels/"): array
                for name, array in arrays.items()
                if name.startswith("labels/")
            }
        blocks.append(_Block(part, pictures, _one_each(said, len(pictures), path)))
    return blocks


def _by_part(arrays: dict[str, np.ndarray], known: Sequence[str]) -> dict[str | None, str]:
    """Arrays with one of the known names, by the part that stands before or behind it."""
    found: dict[str | None, str] = {}
    for name in arrays:
        first, _, rest = name.lower().partition("_")
        front, _, last = name.lower().rpartition("_")
        for part, kind in ((first, rest), (last, front), (None, name.lower())):
            if kind in known and (part is None or part in PARTS):
                found.setdefault(part, name)
    return found if None not in found or len(found) == 1 else {None: found[None]}


def _channels_last(images: np.ndarray, where: str) -> np.ndarray:
    """Images (N, H, W) or (N, H, W, C); see `Arrays`."""
    if images.dtype != np.uint8:
        raise DataError(
            f"data.path={where} is of {images.dtype}: only uint8 is read, with values from 0 to 255"
        )
    if images.ndim == 4 and images.shape[3] not in _CHANNELS and images.shape[1] in _CHANNELS:
        return images.transpose(0, 2, 3, 1)
    fits = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in _CHANNELS)
    if fits and 0 not in images.shape[1:]:
        return images
    raise DataError(
        f"data.path={where} is of shape {images.shape}: images are (N, H, W), (N, H, W, C) or "
        "(N, C, H, W), with C from 1 to 4"
    )


def _one_each(labels: dict[str, np.ndarray], count: int, path: str) -> dict[str, np.ndarray]:
    """Labels as (N,); DataError where there is not one for each image."""
    flat = {
        name: array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        for name, array in labels.items()
    }
    for name, array in flat.items():
        if array.shape != (count,):
            raise DataError(
                f"data.path={path}: the labels {name} are of shape {array.shape}, not one for each "
                f"of {count:,} images"
            )
    return flat
