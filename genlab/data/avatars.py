"""Drawn faces with known attributes, made on this machine."""

import functools
import io
import json
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import metadata, resources
from typing import Any, NamedTuple

import numpy as np

from genlab.data.attributes import encode
from genlab.data.pixels import cores, fit
from genlab.data.source import Advance, Annotations, Source
from genlab.errors import ConfigError, WorkerFailed
from genlab.words import one_of

CHUNK = 250
"""Avatars per task of a worker process; a single chunk is drawn without workers."""

# One plain colour behind every head: light skin and white eyes stand out from it, and a network
# has nothing to learn there. A still image shows no movement.
FIXED_OPTIONS: dict[str, Any] = {"backgroundColor": "#b6e3f4", "animationVariant": "none"}

# Their letters would be drawn in whichever fonts a machine happens to have.
WRITTEN_STYLES = ("initial-face", "initials")


class Avatars(Source):
    """Faces of one DiceBear style, each drawn from its own seed.

    Args:
        style: of the package dicebear-styles, e.g. pixel-art.
        count: number of images.
        resolution, channels: see `Source`.
        seed: image i depends on the style, this seed and i alone.
    """

    def __init__(self, style: str, count: int, resolution: int, channels: int, seed: int) -> None:
        super().__init__(resolution, channels)
        if count < 1:
            raise ConfigError(f"data.count={count} must be at least 1")
        if seed < 0:
            raise ConfigError(f"data.drawing_seed={seed} must not be negative")
        one_of("data.style", style, styles())
        self.style = style
        self.number = count
        self.seed = seed

    def fingerprint(self) -> dict[str, object]:
        """Settings and the versions of the packages that draw."""
        packages = ("dicebear-core", "dicebear-styles", "resvg-py")
        return super().fingerprint() | {
            "style": self.style,
            "count": self.number,
            "seed": self.seed,
            "packages": {name: metadata.version(name) for name in packages},
        }

    def count(self) -> int:
        """The number that was asked for."""
        return self.number

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Draw all avatars over all cores, (count, C, H, W).

        Raises:
            WorkerFailed: a drawing process died.
        """
        picks: list[dict[str, Any]] = []
        for drawn in self._draw_all():
            start = len(picks)
            picks += drawn.picks
            images[start : len(picks)] = drawn.images
            advance(len(drawn.picks))
        labels, classes = encode(definition(self.style), picks)
        return Annotations(_about(self.style), labels, classes)

    def _draw_all(self) -> Iterator["Drawn"]:
        draw_chunk = functools.partial(draw, self.style, self.seed, self.resolution, self.channels)
        numbers = range(self.number)
        chunks = [numbers[start : start + CHUNK] for start in range(0, self.number, CHUNK)]
        if len(chunks) == 1:
            yield draw_chunk(chunks[0])
            return
        # A forked child could inherit a lock held by one of torch's threads; a spawned one cannot.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(cores(), len(chunks)), context, _ignore_interrupts) as pool:
            try:
                yield from pool.map(draw_chunk, chunks)
            except BrokenProcessPool:
                raise WorkerFailed(
                    "a process that draws avatars died: free some memory and run again; a script "
                    "of your own must call this below if __name__ == '__main__':"
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)


class Drawn(NamedTuple):
    """images: uint8 (n, C, H, W); picks: DiceBear's resolved options of each."""

    images: np.ndarray
    picks: list[dict[str, Any]]


def draw(style: str, seed: int, resolution: int, channels: int, numbers: Sequence[int]) -> Drawn:
    """Draw the avatars of these numbers."""
    import resvg_py
    from dicebear import Avatar
    from PIL import Image

    images = np.empty((len(numbers), channels, resolution, resolution), np.uint8)
    picks = []
    for position, number in enumerate(numbers):
        options = FIXED_OPTIONS | {"seed": f"{seed}-{number}"}
        avatar = Avatar(_loaded_style(style), options).to_json()
        png = resvg_py.svg_to_bytes(
            svg_string=avatar["svg"], width=resolution, height=resolution, skip_system_fonts=True
        )
        with Image.open(io.BytesIO(png)) as image:
            images[position] = fit(image, resolution, channels).pixels
        picks.append(avatar["options"])
    return Drawn(images, picks)


def styles() -> list[str]:
    """Names of the installed styles that look the same on every machine."""
    files = resources.files("dicebear_styles").iterdir()
    names = {file.name.removesuffix(".json") for file in files if file.name.endswith(".json")}
    return sorted(names.difference(WRITTEN_STYLES))


def definition(style: str) -> dict[str, Any]:
    """A style's definition as DiceBear's JSON."""
    result: dict[str, Any] = json.loads(
        (resources.files("dicebear_styles") / f"{style}.json").read_text("utf-8")
    )
    return result


@functools.cache
def _loaded_style(style: str) -> Any:
    from dicebear import Style

    return Style(definition(style))


def _about(style: str) -> str:
    meta = definition(style)["meta"]
    creator, licence = meta["creator"], meta["license"]
    return (
        f"avatars of DiceBear's style {style} by {creator['name']} ({creator['url']}), "
        f"{licence['name']} ({licence['url']})"
    )


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
