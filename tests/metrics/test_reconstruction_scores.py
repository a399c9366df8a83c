import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torch import Tensor

from genlab.metrics import psnr, squared_error
from genlab.metrics.reconstruction import ssim


def test_squared_error_counts_pixels_on_the_unit_interval() -> None:
    black, white = -torch.ones(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    torch.testing.assert_close(squared_error(black, white), torch.ones(2))
    torch.testing.assert_close(squared_error(black, black + 0.2), torch.full((2,), 0.01))


def test_psnr_of_known_errors() -> None:
    values = psnr(torch.tensor([1.0, 0.01, 1 / 255**2, 0.0]))
    expected = [0.0, 20.0, 20 * math.log10(255), 100.0]
    assert values.tolist() == pytest.approx(expected, abs=1e-4)


def by_windows(one: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity of one channel (H, W) on [0, 1], window by window as it is defined."""
    weights = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    weights = np.outer(weights, weights) / weights.sum() ** 2

    def mean(windows: np.ndarray) -> np.ndarray:
        return (windows * weights).sum((-2, -1), keepdims=True)

    a, b = (np.lib.stride_tricks.sliding_window_view(x, (11, 11)) for x in (one, other))
    mean_a, mean_b = mean(a), mean(b)
    variances = mean((a - mean_a) ** 2) + mean((b - mean_b) ** 2)
    covariance = mean((a - mean_a) * (b - mean_b))
    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    return float((luminance * (2 * covariance + 9e-4) / (variances + 9e-4)).mean())


def photograph(height: int, width: int) -> Tensor:
    """A piece of a photograph, bright sky and roofs, (1, 3, height, width) on [0, 1]."""
    pixels = load_sample_image("china.jpg")[100 : 100 + height, 200 : 200 + width]
    return torch.from_numpy(pixels / 255).permute(2, 0, 1)[None]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(11, 11), (12, 15), (28, 28), (40, 17)])
@pytest.mark.parametrize("kind", ["noise", "photograph", "white"])
def test_ssim_is_that_of_its_definition(channels: int, size: tuple[int, int], kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(2, channels, *size, generator=generator, dtype=torch.float64)
    image = {
        "noise": noise[:1],
        "photograph": photograph(*size)[:, :channels],
        "white": torch.ones_like(noise[:1]),
    }[kind]
    picture = (image + 0.2 * (noise[1:] - 0.5)).clamp(0, 1)
    found = ssim((picture * 2 - 1).float(), (image * 2 - 1).float())
    pairs = zip(picture[0].numpy(), image[0].numpy(), strict=True)
    expected = np.mean([by_windows(*pair) for pair in pairs])
    assert found is not None
    assert found.item() == pytest.approx(expected, abs=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(ssim(picture * 2 - 1, image * 2 - 1), found)


def test_ssim_of_two_greys_is_that_of_their_means() -> None:
    one, other = torch.full((2, 1, 16, 16), 0.05), torch.full((2, 1, 16, 16), -0.05)
    expected = (2 * 0.525 * 0.475 + 1e-4) / (0.525**2 + 0.475**2 + 1e-4)  # 0.995
    assert ssim(one, other).tolist() == pytest.approx([expected] * 2, abs=1e-6)
    assert ssim(one, one).tolist() == pytest.approx([1.0] * 2, abs=1e-6)


def test_ssim_needs_eleven_pixels() -> None:
    assert ssim(torch.zeros(1, 1, 10, 20), torch.zeros(1, 1, 10, 20)) is None
