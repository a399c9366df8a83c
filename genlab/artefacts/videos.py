"""Pictures one after another as an MP4."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from genlab.artefacts.files import write_atomically
from genlab.errors import ResourceError


def write_mp4(pictures: Sequence[Image.Image], path: Path, frames_per_second: int) -> None:
    """Write RGB pictures of one size as H.264 in yuv420p, which every player shows.

    Written atomically into a folder that exists. Odd sizes get a white line, as colours at half the
    resolution need even ones. ResourceError where ffmpeg cannot be started or fails.
    """
    write_atomically(path, lambda file: _encode(pictures, file.name, frames_per_second))


def _encode(pictures: Sequence[Image.Image], name: str, frames_per_second: int) -> None:
    import imageio_ffmpeg

    even = [_even(picture) for picture in pictures]
    try:
        frames = imageio_ffmpeg.write_frames(
            os.fspath(name),
            even[0].size,
            fps=frames_per_second,
            codec="libx264",
            pix_fmt_out="yuv420p",
            quality=8,
            macro_block_size=2,
            ffmpeg_log_level="error",
            output_params=["-f", "mp4", "-movflags", "+faststart"],
        )
        frames.send(None)
        for picture in even:
            frames.send(np.asarray(picture).tobytes())
        frames.close()
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ResourceError(f"{name}: ffmpeg cannot write it ({reason}); use format=gif") from error


def _even(picture: Image.Image) -> Image.Image:
    right, bottom = picture.width % 2, picture.height % 2
    return ImageOps.expand(picture, (0, 0, right, bottom), "white")
