"""From any picture to the square uint8 array of one size."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

    from genlab.data.source import Advance

T = TypeVar("T")
R = TypeVar("R")

_SLAB = 1024

RULE = (
    "turned upright by EXIF, laid over white, centre-cropped to a square, "
    "resized by Lanczos (reduced) or bicubic (enlarged)"
)


def fit(image: Image, resolution: int, channels: int) -> np.ndarray:
    """Any PIL image as uint8 (channels, resolution, resolution).

    Transparency is laid over white, 16 bits are scaled to 8, and any mode becomes grey or RGB. The
    largest centred square is reduced by Lanczos or enlarged by bicubic filtering, both
    antialiased; a picture that is already of this size and mode keeps every pixel.

    Raises:
        ValueError: 32-bit floats, whose range no file states.
    """
    from PIL.Image import Resampling

    image = eight_bit(image, "L" if channels == 1 else "RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.width != image.height:
        image = image.crop((left, top, left + side, top + side))
    if side != resolution:
        filtering = Resampling.LANCZOS if side > resolution else Resampling.BICUBIC
        image = image.resize((resolution, resolution), filtering)
    pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def eight_bit(image: Image, mode: str) -> Image:
    """The image in `mode`, L or RGB: transparency over white, 16 bits scaled to 8.

    Raises:
        ValueError: 32-bit floats, whose range no file states.
    """
    from PIL import Image as Pillow

    if image.mode == "F":
        raise ValueError("32-bit float pixels have no stated range")
    if image.mode.startswith("I"):
        deep = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        image = Pillow.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Pillow.new("RGBA", image.size, "white")
        image = Pillow.alpha_composite(white, image)
    return image if image.mode == mode else image.convert(mode)


def fit_arrays(pictures: np.ndarray, images: np.ndarray, advance: Advance) -> None:
    """Fit uint8 pictures, (N, H, W) grey or (N, H, W, 3) RGB, into `images`, (N, C, R, R)."""
    from PIL import Image

    _, channels, resolution, _ = images.shape
    for index, picture in enumerate(pictures):
        images[index] = fit(Image.fromarray(picture), resolution, channels)
        advance(1)


def upright(image: Image) -> Image:
    """The image turned as its EXIF orientation says."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


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
