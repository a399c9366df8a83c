"""From any image to uint8 arrays: upright, eight bits, grey or RGB."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from genlab.bounds import WHITE_LEVEL
from genlab.data.image_files import decoding

if TYPE_CHECKING:
    from PIL.Image import Image

    from genlab.data.source import Advance

T = TypeVar("T")
R = TypeVar("R")

_SLAB = 1024
_STRIP = 2**21  # pixels that are converted at a time: of large images not the whole is copied
_DRAFTED = 24_000_000  # pixels from which on a JPEG is reduced while it is decoded
_ORIENTATION = 0x0112

RULE = (
    "turned upright by EXIF, laid over white, centre-cropped to a square, "
    "resized by Lanczos (reduced) or bicubic (enlarged); a JPEG of more than 24 million pixels "
    "is decoded at a half, a quarter or an eighth that is at least twice as large"
)


class Fitted(NamedTuple):
    """An image as data hold it.

    Attributes:
        pixels: uint8 (C, R, R).
        deepest: the largest value of an image of 16 bits; None for other images.
    """

    pixels: np.ndarray
    deepest: int | None


def fit(image: Image, resolution: int, channels: int, white_level: int = WHITE_LEVEL) -> Fitted:
    """Any PIL image as a square of one size and mode.

    It is turned upright by its EXIF orientation, transparency is laid over white, 16 bits are
    scaled to 8, and any mode becomes grey or RGB. The largest centred square is reduced by Lanczos
    or enlarged by bicubic filtering, both antialiased; an image that is already of this size and
    mode keeps every pixel.

    Args:
        image: opened, not yet decoded if it may be large: see `RULE` for large JPEGs.
        resolution: of the square.
        channels: 1 (grey) or 3 (RGB).
        white_level: what becomes 255 in images of 16 bits; 4095 where they hold 12.

    Raises:
        ValueError: 32-bit floats, whose range no file states.
    """
    from PIL import Image as Pillow

    mode = "L" if channels == 1 else "RGB"
    with decoding(image, _scale(image, 2 * resolution)):
        if _scale(image, 2 * resolution) > 1:
            image.draft(None, (2 * resolution, 2 * resolution))
        view = _Upright.of(image)
        side = min(view.size)
        left, top = (view.size[0] - side) // 2, (view.size[1] - side) // 2
        filtering = Pillow.Resampling.LANCZOS if side > resolution else Pillow.Resampling.BICUBIC
        # Pillow resizes rows, then columns: row by row gives the same pixels in less memory.
        narrow = Pillow.new(mode, (resolution, side))
        deepest = None
        for start, strip in view.strips((left, top, left + side, top + side)):
            flat, deep = _eight_bit(strip, mode, white_level)
            deepest = deep if deepest is None else max(deepest, deep or 0)
            narrow.paste(flat.resize((resolution, flat.height), filtering), (0, start))
        pixels = np.asarray(narrow.resize((resolution, resolution), filtering))
    return Fitted(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1), deepest)


def whole(image: Image, channels: int, white_level: int = WHITE_LEVEL) -> np.ndarray:
    """Any PIL image at its own size, uint8 (C, H, W); see `fit`."""
    mode = "L" if channels == 1 else "RGB"
    with decoding(image):
        view = _Upright.of(image)
        width, height = view.size
        pixels = np.empty((height, width, channels), np.uint8)
        for start, strip in view.strips((0, 0, width, height)):
            flat, _ = _eight_bit(strip, mode, white_level)
            pixels[start : start + flat.height] = np.asarray(flat).reshape(-1, width, channels)
    return pixels.transpose(2, 0, 1)


def is_turned(image: Image) -> bool:
    """Whether EXIF says that the image is not upright; decodes a PNG to know."""
    with decoding(image):
        return image.getexif().get(_ORIENTATION, 1) in range(2, 9)


class _Upright(NamedTuple):
    """A decoded image as its EXIF orientation says that it is seen.

    Attributes:
        image: as stored.
        orientation: from 1 (as stored) to 8.
        size: width and height when upright.
    """

    image: Image
    orientation: int
    size: tuple[int, int]

    @classmethod
    def of(cls, image: Image) -> _Upright:
        """The image, decoded."""
        image.load()
        orientation = image.getexif().get(_ORIENTATION, 1)
        orientation = orientation if orientation in range(1, 9) else 1
        width, height = image.size
        return cls(image, orientation, (height, width) if orientation >= 5 else (width, height))

    def strips(self, box: tuple[int, int, int, int]) -> Iterator[tuple[int, Image]]:
        """Parts of a box (left, top, right, bottom) of the upright image, from its top down.

        Each comes with the row within the box at which it starts.
        """
        left, top, right, bottom = box
        rows = max(1, _STRIP // (right - left))
        for start in range(top, bottom, rows):
            yield start - top, self._part((left, start, right, min(start + rows, bottom)))

    def _part(self, box: tuple[int, int, int, int]) -> Image:
        from PIL.Image import Transpose

        left, top, right, bottom = box
        if self.orientation >= 5:  # rows and columns change places
            left, top, right, bottom = top, left, bottom, right
        if self.orientation in (2, 3, 7, 8):
            left, right = self.image.width - right, self.image.width - left
        if self.orientation in (3, 4, 6, 7):
            top, bottom = self.image.height - bottom, self.image.height - top
        part = self.image.crop((left, top, right, bottom))
        turns = {
            2: Transpose.FLIP_LEFT_RIGHT,
            3: Transpose.ROTATE_180,
            4: Transpose.FLIP_TOP_BOTTOM,
            5: Transpose.TRANSPOSE,
            6: Transpose.ROTATE_270,
            7: Transpose.TRANSVERSE,
            8: Transpose.ROTATE_90,
        }
        return part.transpose(turns[self.orientation]) if self.orientation > 1 else part


def _scale(image: Image, side: int) -> int:
    """What a large JPEG is divided by while it is decoded, to be no less than `side` pixels."""
    if image.format not in ("JPEG", "MPO") or image.width * image.height <= _DRAFTED:
        return 1
    return next(scale for scale in (8, 4, 2, 1) if scale == 1 or min(image.size) // side >= scale)


def _eight_bit(image: Image, mode: str, white_level: int) -> tuple[Image, int | None]:
    """The image in `mode`, L or RGB, and the largest value if it is of 16 bits.

    Raises:
        ValueError: 32-bit floats, whose range no file states.
    """
    from PIL import Image as Pillow

    deepest = None
    if image.mode == "F":
        raise ValueError("32-bit float pixels have no stated range")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        deepest = int(values.max())
        deep = np.clip(values, 0, white_level).astype(np.int64)
        image = Pillow.fromarray(((deep * 255 + white_level // 2) // white_level).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Pillow.new("RGBA", image.size, "white")
        image = Pillow.alpha_composite(white, image)
    return (image if image.mode == mode else image.convert(mode)), deepest


def fit_arrays(pictures: np.ndarray, images: np.ndarray, advance: Advance) -> None:
    """Fit uint8 pictures, (N, H, W) grey or (N, H, W, 3) RGB, into `images`, (N, C, R, R)."""
    from PIL import Image

    _, channels, resolution, _ = images.shape
    for index, picture in enumerate(pictures):
        images[index] = fit(Image.fromarray(picture), resolution, channels).pixels
        advance(1)


def in_threads(function: Callable[[T], R], items: Sequence[T], advance: Advance) -> list[R]:
    """`function` of every item, in order; Pillow decodes and resizes outside Python's lock."""
    results: list[R] = []
    with ThreadPoolExecutor(cores()) as pool:
        # In slabs: a million waiting tasks would take a gigabyte.
        for start in range(0, len(items), _SLAB):
            for result in pool.map(function, items[start : start + _SLAB]):
                results.append(result)
                advance(1)
    return results


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def pillow_quiet() -> Iterator[None]:
    """Pillow without warnings on odd files and without its own limit of pixels: set another.

    Around all threads, not in each: both are settings of the whole process.
    """
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
