"""Whether generated images are copies of training images."""

from dataclasses import dataclass

from torch import Tensor

from genlab.metrics import nearest


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Distances of generated images to training images, and the pairs with the smallest distances.

    Attributes:
        ratio: the median distance of generated images to their nearest training image over that of
            held-out images: about 1 for new images, towards 0 for copies; None if most held-out
            images have an exact duplicate in the training part.
        copies: the share of generated images that are copies, see `memorisation`.
        images: the generated images nearest to the training part, uint8 (R, C, H, W).
        neighbours: the training images nearest to each of them, uint8 (R * columns, C, H, W).
        distances: (R, columns).
    """

    ratio: float | None
    copies: float
    images: Tensor
    neighbours: Tensor
    distances: Tensor


def memorisation(
    images: Tensor, held_out: Tensor, training: Tensor, rows: int = 8, columns: int = 5
) -> Memorisation:
    """Nearest training images by pixels.

    `copies` is the share of images that are nearer to a training image than 99 % of the held-out
    ones; if more than 1 % of those have exact duplicates, the share of exact copies beyond theirs.

    Args:
        images: generated, uint8 (N, C, H, W).
        held_out: uint8 (M, C, H, W).
        training: uint8 (T, C, H, W).
        rows: how many of the images with the smallest distances are returned.
        columns: how many neighbours are returned for each.
    """
    found = nearest(images, training, columns)
    expected = nearest(held_out, training).distances[:, 0]
    closest = found.distances[:, 0]
    limit, median = expected.quantile(0.01), expected.median()
    copies = (closest < limit).float().mean()
    if not limit:
        copies = (closest == 0).float().mean() - (expected == 0).float().mean()
    chosen = closest.argsort()[:rows]
    return Memorisation(
        ratio=float(closest.median() / median) if median else None,
        copies=max(0.0, float(copies)),
        images=images[chosen],
        neighbours=training[found.indices[chosen].flatten()],
        distances=found.distances[chosen],
    )
