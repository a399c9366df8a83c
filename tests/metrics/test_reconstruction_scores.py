import math

import pytest
import torch

from genlab.metrics import psnr, squared_error


def test_squared_error_counts_pixels_on_the_unit_interval() -> None:
    black, white = -torch.ones(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    torch.testing.assert_close(squared_error(black, white), torch.ones(2))
    torch.testing.assert_close(squared_error(black, black + 0.2), torch.full((2,), 0.01))


def test_psnr_of_known_errors() -> None:
    values = psnr(torch.tensor([1.0, 0.01, 1 / 255**2, 0.0]))
    expected = [0.0, 20.0, 20 * math.log10(255), 100.0]
    assert values.tolist() == pytest.approx(expected, abs=1e-4)
