"""How near a picture is to the image it stands for."""

import torch
from torch import Tensor

from genlab.objectives.reconstruction import SquaredError

WINDOW = 11


def squared_error(pictures: Tensor, images: Tensor) -> Tensor:
    """(B,) mean squared error per pixel value on [0, 1], of (B, C, H, W) in [-1, 1]."""
    return SquaredError()(pictures, images)


def psnr(mean_squared_error: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / error), elementwise; at most 100 dB.

    A set's value is by convention the mean of its images' ratios, not that of its mean error.

    Args:
        mean_squared_error: per pixel value on [0, 1], where the peak is 1.
    """
    return -10 * torch.log10(mean_squared_error.clamp(min=1e-10))


def ssim(pictures: Tensor, images: Tensor) -> Tensor | None:
    """(B,) structural similarity of (B, C, H, W) in [-1, 1]; None below 11 pixels.

    Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861, with Gaussian windows of 11 pixels.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    if min(images.shape[-2:]) < WINDOW:
        return None
    values = structural_similarity_index_measure(
        pictures.float(), images.float(), data_range=2.0, reduction="none"
    )
    assert isinstance(values, Tensor)
    return values
