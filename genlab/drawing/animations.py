"""Animations as GIFs: the evolution of a run's grids, and other sequences of images."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from genlab.drawing.image_grid import MOST_LOSSLESS, narrowed
from genlab.io.files import write_atomically

_MAX_FRAMES = 60


def save_gif(frames: Sequence[Path], path: Path, seconds: float = 6.0) -> tuple[int, int]:
    """Animate grids in files, at most 60 evenly spaced ones, and return (width, height).

    The last frame is shown longer. All frames have the size of the last one; if that is large, they
    are 512 pixels wide.
    """
    step = max(1, math.ceil(len(frames) / _MAX_FRAMES))
    chosen = [*frames[:-1:step], frames[-1]]
    last = _frame(frames[-1], None)
    each = max(40, int(1000 * seconds / len(chosen)))
    durations = [each] * (len(chosen) - 1) + [1500]
    # The palette is the last frame's, whose colours are the run's final ones.
    write_gif((_frame(frame, last.size) for frame in chosen), path, durations, colours_of=last)
    return last.size


def _frame(file: Path, size: tuple[int, int] | None) -> Image.Image:
    """An image resized to `size`; None keeps its size unless it is large."""
    with Image.open(file, formats=("PNG", "JPEG")) as opened:
        large = opened.width * opened.height > MOST_LOSSLESS
        # Earlier versions wrote grids of 200 MB, which are not copied in memory.
        image = (narrowed(opened) if large else opened).convert("RGB")
    return image if size in (None, image.size) else image.resize(size)


def write_gif(
    frames: Iterable[Image.Image],
    path: Path,
    durations: int | Sequence[int],
    colours_of: Image.Image,
) -> None:
    """Write an endless GIF atomically into a folder that exists; durations in milliseconds.

    All frames share one palette, that of `colours_of`. Frames are read one at a time.
    """
    palette = colours_of.quantize()
    quantised = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in frames)
    first = next(quantised)
    write_atomically(
        path,
        lambda file: first.save(
            file,
            format="GIF",
            save_all=True,
            append_images=quantised,
            duration=durations,
            loop=0,
        ),
    )
