"""Two sets as one, for translating between them."""

import os
import re
from pathlib import Path
from typing import ClassVar

import numpy as np

from genlab.data.source import Advance, Annotations, Source
from genlab.errors import ConfigError

LABEL = "domain"
_ROWS = 1024


class Domains(Source):
    """The images of two sources one after another; the label "domain" says whose they are.

    Nothing pairs them, and there may be more of one than of another.

    Args:
        first, second: the sources.
        names: of the two classes; None for those of the folders that the sources read.
        resolution, channels: see `Source`; those of the sources.
    """

    version: ClassVar[int] = 2

    def __init__(
        self, first: Source, second: Source, names: list[str] | None, resolution: int, channels: int
    ) -> None:
        super().__init__(resolution, channels)
        names = names or _called(first, second)
        if len(set(names)) != 2:
            raise ConfigError(f"data.names={names} must be two different names")
        self.sources = dict(zip(names, (first, second), strict=True))
        for source in self.sources.values():
            if (source.resolution, source.channels) != (resolution, channels):
                raise ConfigError(
                    "data.source: both sources need the data's resolution and channels"
                )

    def fingerprint(self) -> dict[str, object]:
        """Those of the sources."""
        parts = {name: source.fingerprint() for name, source in self.sources.items()}
        return super().fingerprint() | {"sources": parts}

    def count(self) -> int:
        """Of all together."""
        return sum(source.count() for source in self.sources.values())

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (count, C, H, W), source by source.

        Where both sources have a test part, these are last; otherwise all is trained on.
        """
        size = next(iter(self.sources.values())).count()
        parts = images[:size], images[size:]
        found = [
            source.write(part, advance)
            for source, part in zip(self.sources.values(), parts, strict=True)
        ]
        labels = np.repeat(np.arange(2), [len(part) for part in parts])
        starts = [each.test_start for each in found]
        test_start = None
        if starts[0] is not None and starts[1] is not None:
            _swap(images, starts[0], size, size + starts[1])
            _swap(labels, starts[0], size, size + starts[1])
            test_start = starts[0] + starts[1]
        return Annotations(
            about="; ".join(each.about for each in found),
            labels={LABEL: labels},
            classes={LABEL: list(self.sources)},
            test_start=test_start,
        )


def _swap(array: np.ndarray, first: int, second: int, end: int) -> None:
    """Put the rows from `second` to `end` in front of those from `first` to `second`, in place."""
    moved = array[first:second].copy()
    for start in range(second, end, _ROWS):  # in pieces: the array may be larger than memory
        rows = array[start : min(start + _ROWS, end)].copy()
        array[start - len(moved) : start - len(moved) + len(rows)] = rows
    array[end - len(moved) : end] = moved


def _called(first: Source, second: Source) -> list[str]:
    """The names of the sources' folders, or first and second where those do not tell them apart."""
    found = [
        re.sub(r"\W+", "_", Path(os.path.abspath(str(getattr(source, "path", "")))).name).strip("_")
        for source in (first, second)
    ]
    return found if all(found) and len(set(found)) == 2 else ["first", "second"]
