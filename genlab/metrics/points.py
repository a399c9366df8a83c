"""Points of the plane, whose distribution is known, as features of themselves."""

import hashlib
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genlab.pixels import normalise

CLOSE = 3.0


@dataclass(frozen=True, eq=False)
class PointFeatures:
    """Points stored as images of two channels and one pixel; classes are the nearest centres.

    Args:
        centres: of the modes, (K, 2) on [-1, 1].
        deviation: of the points about their centre.
    """

    centres: Tensor
    deviation: float
    name: str = field(default="points", init=False)
    resizer: str = field(default="none", init=False)

    @property
    def weights_sha256(self) -> str:
        """Of the centres."""
        return hashlib.sha256(self.centres.numpy().tobytes()).hexdigest()

    def __call__(self, images: Tensor) -> Tensor:
        """Uint8 (N, 2, 1, 1) to (N, 2) on the CPU."""
        return normalise(images).flatten(1).cpu()

    def classes(self, features: Tensor) -> dict[str, Tensor]:
        """(N, 2) to 1 for the nearest centre and 0 for others, (N, K), as "label"."""
        nearest = torch.cdist(features, self.centres).argmin(1)
        return {"label": torch.nn.functional.one_hot(nearest, len(self.centres)).float()}

    def close(self, features: Tensor) -> Tensor:
        """Which points (N, 2) lie within 3 deviations of a centre, (N,): of high quality.

        Srivastava et al. 2017, section 4.1, https://arxiv.org/abs/1705.07761.
        """
        return torch.cdist(features, self.centres).amin(1) <= CLOSE * self.deviation
