"""Images one after another: the evolution of a run's grids, and any others, as a GIF."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from genlab.drawing.pictures import MOST_LOSSLESS, narrowed
from genlab.io.files import write_atomically

_MAX_FRAMES = 60


def save_gif(frames: Sequence[Path], path: Path, seconds: float = 6.0) -> tuple[int, int]:
    """Animate grids in files, evenly thinned to 60 frames, and return (width, height).

    The last one is held. All are shown in the size of the last, 512 pixels wide where that is a
    large one.
    """
    step = max(1, math.ceil(len(frames) / _MAX_FRAMES))
    chosen = [*frames[:-1:step], frames[-1]]
    last = _frame(frames[-1], None)
    each = max(40, int(1000 * seconds / len(chosen)))
    durations = [each] * (len(chosen) - 1) + [1500]
    # The last frame's colours are those that the run arrives at.
    write_gif((_frame(frame, last.size) for frame in chosen), path, durations, colours_of=last)
    return last.size


def _frame(file: Path, size: tuple[int, int] | None) -> Image.Image:
    """An image in a size; None for its own, up to what is shown of a large one."""
    with Image.open(file, formats=("PNG", "JPEG")) as opened:
        large = opened.width * opened.height > MOST_LOSSLESS
        # Earlier versions left grids of 200 MB, of which there is no second copy.
        picture = (narrowed(opened) if large else opened).convert("RGB")
    return picture if size in (None, picture.size) else picture.resize(size)


def write_gif(
    pictures: Iterable[Image.Image],
    path: Path,
    durations: int | Sequence[int],
    colours_of: Image.Image,
) -> None:
    """Write an endless GIF atomically into a folder that exists; durations in milliseconds.

    All frames share one palette, that of `colours_of`. Images are taken one at a time.
    """
    palette = colours_of.quantize()
    images = (picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures)
    first = next(images)
    write_atomically(
        path,
        lambda file: first.save(
            file,
            format="GIF",
            save_all=True,
            append_images=images,
            duration=durations,
            loop=0,
        ),
    )
