"""Videos as MP4."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from PIL import Image, ImageOps

from genlab.errors import ResourceError
from genlab.io.files import write_atomically


def write_mp4(images: Iterable[Image.Image], path: Path, frames_per_second: int) -> None:
    """Write images of one size as H.264 in yuv420p, which every player supports.

    Written atomically into a folder that exists. Odd sizes get a white line, because yuv420p needs
    even ones. Images are taken one at a time. ResourceError if ffmpeg cannot be started or fails.
    """
    even = (_even(image.convert("RGB")) for image in images)
    try:
        write_atomically(path, lambda file: _encode(even, file.name, frames_per_second))
    except RuntimeError as error:
        raise ResourceError(f"{path}: ffmpeg cannot write it ({error}); use format=gif") from error


def _encode(images: Iterator[Image.Image], name: str, frames_per_second: int) -> None:
    """Pass frames to ffmpeg; RuntimeError with its last line if it fails."""
    from imageio_ffmpeg import get_ffmpeg_exe

    first = next(images)
    width, height = first.size
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", str(frames_per_second), "-i", "-"]
    command += ["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"]
    command += ["-movflags", "+faststart", "-f", "mp4", name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # its exit code is reported below
            for image in chain([first], images):
                process.stdin.write(image.tobytes())
        _, errors = process.communicate()
    if process.returncode:
        lines = errors.decode(errors="replace").split("\n")
        reason = next((line for line in reversed(lines) if line.strip()), "no message")
        raise RuntimeError(f"exit code {process.returncode}: {reason}")


def _even(image: Image.Image) -> Image.Image:
    right, bottom = image.width % 2, image.height % 2
    return ImageOps.expand(image, (0, 0, right, bottom), "white")
