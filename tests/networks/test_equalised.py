"""Equalised layers against their definitions."""

import math

import pytest
import torch
import torch.nn.functional as F

from genlab.networks.equalised import HE, Conv2d, Head, Linear, PixelNorm


def test_a_layer_keeps_the_size_of_its_input() -> None:
    torch.manual_seed(0)
    values = torch.randn(4000, 64)
    assert Linear(64, 32, gain=1.0)(values).std().item() == pytest.approx(1.0, rel=0.05)
    maps = torch.randn(200, 16, 8, 8)
    inside = Conv2d(16, 32, gain=1.0)(maps)[..., 1:-1, 1:-1]
    assert inside.std().item() == pytest.approx(1.0, rel=0.05)


def test_the_rate_of_a_layer_scales_its_steps_and_nothing_else() -> None:
    """Karras et al. 2019, appendix C: a multiplier of 1/100 for the mapping network."""
    torch.manual_seed(0)
    plain, slow = Linear(8, 8), Linear(8, 8, rate=0.01)
    slow.weight.data = plain.weight.data / 0.01
    values = torch.randn(5, 8)
    torch.testing.assert_close(slow(values), plain(values))
    for layer in (plain, slow):
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
        before = layer(values).detach()
        layer(values).square().sum().backward()
        optimizer.step()
        layer.moved = (layer(values) - before).norm().item()
    assert slow.moved / plain.moved == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize("bias", [True, False])
def test_fused_changes_of_size_are_the_plain_ones(bias: bool) -> None:
    torch.manual_seed(0)
    values = torch.randn(2, 3, 8, 8)
    up, down = (Conv2d(3, 5, bias=bias, resample=kind) for kind in ("up", "down"))
    enlarged = F.interpolate(values, scale_factor=2.0)
    expected = F.conv2d(enlarged, up.weight * up.scale, up.bias, padding=1)
    torch.testing.assert_close(up(values), expected)
    full = F.conv2d(values, down.weight * down.scale, down.bias, padding=1)
    torch.testing.assert_close(down(values), F.avg_pool2d(full, 2))


def test_pixel_norm_makes_every_pixel_of_unit_size() -> None:
    normalised = PixelNorm()(3 * torch.randn(2, 16, 4, 4))
    torch.testing.assert_close(normalised.square().mean(1), torch.ones(2, 4, 4))


def test_the_gain_of_he_is_that_of_relu() -> None:
    assert math.sqrt(2) == HE


def test_the_head_ends_in_features() -> None:
    head = Head((9, 4, 4), outputs=8)
    assert head(torch.randn(3, 9, 4, 4)).shape == (3, 8)
    assert head.shape == (8,)
