"""Images one after another as an MP4."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from PIL import Image, ImageOps

from genlab.errors import ResourceError
from genlab.io.files import write_atomically


def write_mp4(pictures: Iterable[Image.Image], path: Path, frames_per_second: int) -> None:
    """Write RGB images of one size as H.264 in yuv420p, which every player shows.

    Written atomically into a folder that exists. Odd sizes get a white line, as colours at half
    the resolution need even ones. Images are taken one at a time. ResourceError where ffmpeg
    cannot be started or fails.
    """
    even = (_even(picture.convert("RGB")) for picture in pictures)
    try:
        write_atomically(path, lambda file: _encode(even, file.name, frames_per_second))
    except RuntimeError as error:
        raise ResourceError(
            f"{path}: ffmpeg does not write it ({error}); use format=gif"
        ) from error


def _encode(pictures: Iterator[Image.Image], name: str, frames_per_second: int) -> None:
    """Pass frames to ffmpeg; RuntimeError with its last word where it fails."""
    from imageio_ffmpeg import get_ffmpeg_exe

    first = next(pictures)
    width, height = first.size
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", str(frames_per_second), "-i", "-"]
    command += ["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"]
    command += ["-movflags", "+faststart", "-f", "mp4", name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # its exit code says more
            for picture in chain([first], pictures):
                process.stdin.write(picture.tobytes())
        _, errors = process.communicate()
    if process.returncode:
        lines = errors.decode(errors="replace").split("\n")
        reason = next((line for line in reversed(lines) if line.strip()), "without a word")
        raise RuntimeError(f"exit code {process.returncode}: {reason}")


def _even(picture: Image.Image) -> Image.Image:
    right, bottom = picture.width % 2, picture.height % 2
    return ImageOps.expand(picture, (0, 0, right, bottom), "white")
