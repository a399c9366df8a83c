"""Networks that grow with the resolution: what a stage's images are, and layers by resolution.

Karras et al. 2018, section 2, https://arxiv.org/abs/1710.10196. A stage is a resolution and a fade:
from 0, where images are those of half the resolution, enlarged, to 1, where only the new layers
make them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab import bounds


def at_stage(images: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
    """Images (B, C, R, R) as they are at a stage, (B, C, resolution, resolution)."""
    if resolution is None:
        return images
    images = reduced(images, images.shape[-1] // resolution)
    return images if fade >= 1 else faded(enlarged(reduced(images)), images, fade)


def faded(coarse: Tensor, fine: Tensor, fade: float) -> Tensor:
    """From `coarse`, the path of half the resolution, at 0 to `fine` at 1; in the type of `fine`.

    In mixed precision the two can differ: CUDA's autocast enlarges in float32 and convolves in
    bf16, and lerp takes one type.
    """
    return torch.lerp(coarse.to(fine.dtype), fine, fade)


def enlarged(values: Tensor, factor: int = 2) -> Tensor:
    """Every pixel as a square of factor x factor."""
    return F.interpolate(values, scale_factor=float(factor)) if factor > 1 else values


def reduced(values: Tensor, factor: int = 2) -> Tensor:
    """Squares of factor x factor pixels as their means."""
    return F.avg_pool2d(values, factor) if factor > 1 else values


def sides(resolution: int, first: int = 4) -> list[int]:
    """4, 8, 16 ... up to the resolution. ValueError where it is no such power of two."""
    found = [first]
    while found[-1] < resolution:
        found.append(2 * found[-1])
    if found[-1] != resolution or first & (first - 1):
        raise ValueError(
            f"resolution={resolution} does not fit: networks that grow need a power of two, at "
            f"least {first}: set data.resolution to {found[-1]}"
        )
    return found


def maps(side: int, base: int, most: int) -> int:
    """Channels of a map: base / side, at most `most`."""
    bounds.widths(base=base, most=most)
    return max(1, min(base // side, most))
