"""Two sets as one, for translating between them."""

import numpy as np

from genlab.data.source import Advance, Annotations, Source
from genlab.errors import ConfigError

LABEL = "domain"


class Domains(Source):
    """The images of two sources one after another; the label "domain" says whose they are.

    Nothing pairs them, and there may be more of one than of another.

    Args:
        first, second: the sources.
        names: of the two classes.
        resolution, channels: see `Source`; those of the sources.
    """

    def __init__(
        self, first: Source, second: Source, names: list[str], resolution: int, channels: int
    ) -> None:
        super().__init__(resolution, channels)
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
        """Fill `images`, uint8 (count, C, H, W), source by source."""
        start, about, labels = 0, [], []
        for number, source in enumerate(self.sources.values()):
            size = source.count()
            about.append(source.write(images[start : start + size], advance).about)
            labels.append(np.full(size, number, np.int64))
            start += size
        return Annotations(
            about="; ".join(about),
            labels={LABEL: np.concatenate(labels)},
            classes={LABEL: list(self.sources)},
        )
