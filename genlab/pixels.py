"""The two ranges of pixels: uint8 as stored and shown, [-1, 1] as networks take and make them."""

import torch
from torch import Tensor


def normalise(images: Tensor) -> Tensor:
    """Images uint8 to float in [-1, 1], the shape unchanged."""
    return images.float().div_(127.5).sub_(1.0)


def to_uint8(pictures: Tensor) -> Tensor:
    """Float in [-1, 1] to rounded uint8, the shape unchanged."""
    return pictures.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
