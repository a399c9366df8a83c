"""Points of the plane from Gaussians on a grid: a distribution that is known."""

import numpy as np

from genlab.data.source import Advance, Annotations, Source
from genlab.errors import ConfigError


class GaussianGrid(Source):
    """Points about the crossings of a square grid, each a picture of two channels and one pixel.

    The test bed of Dumoulin et al. 2017, https://arxiv.org/abs/1606.00704, and of Srivastava et
    al. 2017, section 4.1, https://arxiv.org/abs/1705.07761. The outermost centres lie at +-0.8;
    pixels hold steps of 2/255.

    Args:
        side: centres along each axis.
        deviation: of the points about their centre, on [-1, 1].
        count: number of points.
        seed: of the points.
        resolution, channels: 1 and 2, the shape of a point.
    """

    def __init__(
        self,
        side: int,
        deviation: float,
        count: int,
        seed: int,
        resolution: int = 1,
        channels: int = 2,
    ) -> None:
        if (resolution, channels) != (1, 2):
            raise ConfigError(
                f"data.resolution={resolution}, data.channels={channels}: points are pictures of "
                "resolution 1 and 2 channels; leave both as they are"
            )
        if side < 2:
            raise ConfigError(f"data.side={side} must be at least 2")
        if seed < 0:
            raise ConfigError(f"data.drawing_seed={seed} must not be negative")
        if count < side**2:
            raise ConfigError(f"data.count={count} must be at least the {side**2} centres")
        if not 0 < deviation < 1:
            raise ConfigError(f"data.deviation={deviation} must be between 0 and 1")
        self.resolution, self.channels = resolution, channels
        self.side = side
        self.deviation = deviation
        self.number = count
        self.seed = seed

    @property
    def centres(self) -> np.ndarray:
        """(side^2, 2) on [-1, 1]; their order is that of the classes."""
        line = np.linspace(-0.8, 0.8, self.side, dtype=np.float32)
        return np.stack(np.meshgrid(line, line, indexing="ij"), 2).reshape(-1, 2)

    def fingerprint(self) -> dict[str, object]:
        """All settings."""
        return super().fingerprint() | {
            "side": self.side,
            "deviation": self.deviation,
            "count": self.number,
            "seed": self.seed,
        }

    def count(self) -> int:
        """The number that was asked for."""
        return self.number

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (count, 2, 1, 1), the centres in turn."""
        centres = self.centres
        labels = np.arange(self.number) % len(centres)
        noise = np.random.default_rng(self.seed).normal(size=(self.number, 2))
        points = centres[labels] + self.deviation * noise
        images[:, :, 0, 0] = np.clip(np.round((points + 1) * 127.5), 0, 255)
        advance(self.number)
        return Annotations(
            about=f"{self.number} points of {len(centres)} Gaussians on a grid, drawn here",
            labels={"label": labels},
            classes={"label": [f"{x:+.2f} {y:+.2f}" for x, y in centres]},
        )
