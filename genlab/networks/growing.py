"""Networks that grow with the resolution: what a stage's images are, and layers by resolution.

Karras et al. 2018, section 2, https://arxiv.org/abs/1710.10196. A stage is a resolution, the
smaller side of its images in pixels, and a fade: from 0, where images are those of half the
resolution, enlarged, to 1, where only the new layers make them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab import bounds
from genlab.sizes import Size


def at_stage(images: Tensor, resolution: int | None = None, fade: float = 1.0) -> Tensor:
    """Images (B, C, H, W) as they are at a stage, of the same ratio with `resolution` pixels.

    `resolution` is the smaller side; None keeps the images.
    """
    if resolution is None:
        return images
    images = reduced(images, min(images.shape[-2:]) // resolution)
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


def maps(size: Size, base: int, most: int) -> int:
    """Channels of a map: base / side, at most `most`; the side is that of a square of its area."""
    bounds.widths(base=base, most=most)
    return max(1, min(base // size.mean_side, most))
