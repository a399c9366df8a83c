"""How near an image is to the image it stands for."""

import torch
from torch import Tensor

from genlab.objectives.reconstruction import SquaredError

WINDOW = 11  # pixels, of a Gaussian
DEVIATION = 1.5


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
    """(B,) structural similarity of (B, C, H, W) in [-1, 1]; None for sides below 11.

    Wang et al. 2004, equation 13, https://doi.org/10.1109/TIP.2003.819861, of pixels on [0, 1]:
    means, variances and covariance under Gaussian windows of 11 pixels and deviation 1.5, averaged
    over all windows that lie within the image and over channels.
    """
    if min(images.shape[-2:]) < WINDOW:
        return None
    # Half of [-1, 1] is [0, 1] less a half: the same variances. They are differences of nearly the
    # same numbers, so that single precision would give other values on other processors.
    precision = torch.float32 if images.device.type == "mps" else torch.float64  # which has no more
    one, other = pictures.to(precision) / 2, images.to(precision) / 2
    moments = torch.stack([one, other, one.square(), other.square(), one * other])
    mean, mean_other, square, square_other, product = _windowed(_windowed(moments).mT).mT
    variances = square - mean.square() + square_other - mean_other.square()
    covariance = product - mean * mean_other
    mean, mean_other = mean + 0.5, mean_other + 0.5
    luminance = _likeness(mean * mean_other, mean.square() + mean_other.square(), 0.01**2)
    structure = _likeness(covariance, variances, 0.03**2)
    return (luminance * structure).flatten(1).mean(1).float()


def _likeness(product: Tensor, squares: Tensor, constant: float) -> Tensor:
    """2 a b / (a^2 + b^2), held away from 0 / 0."""
    return (2 * product + constant) / (squares + constant)


def _windowed(values: Tensor) -> Tensor:
    """(..., H, W) to its Gaussian means in all windows of the height, (..., H - 10, W).

    A sum, as convolutions may round to half precision.
    """
    height = values.shape[-2] - WINDOW + 1
    places = torch.arange(WINDOW, dtype=torch.float64, device="cpu") - WINDOW // 2
    weights = torch.softmax(-places.square() / (2 * DEVIATION**2), 0).tolist()
    means = torch.zeros_like(values[..., :height, :])
    for place, weight in enumerate(weights):
        means.add_(values[..., place : place + height, :], alpha=weight)
    return means
