"""Convolutions joined with a change of size."""

import pytest
import torch
import torch.nn.functional as F

from genlab.networks.resampling import ResampledConv2d


@pytest.mark.parametrize("side", [7, 8])
def test_doubling_and_halving_are_those_of_two_layers(side: int) -> None:
    torch.manual_seed(0)
    up, down = (ResampledConv2d(3, 5, kind) for kind in ("up", "down"))
    small, large = torch.randn(2, 3, side, side), torch.randn(2, 3, 2 * side, 2 * side)
    enlarged = F.interpolate(small, scale_factor=2.0)
    torch.testing.assert_close(up(small), F.conv2d(enlarged, up.weight, up.bias, padding=1))
    full = F.conv2d(large, down.weight, down.bias, padding=1)
    torch.testing.assert_close(down(large), F.avg_pool2d(full, 2))
