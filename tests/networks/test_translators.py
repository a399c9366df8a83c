"""Networks from pictures to pictures: shapes, sizes, and how far they look."""

import pytest
import torch
from torch import nn

from genlab.networks.translators import Residual, UNet


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize("halvings", [0, 2])
def test_residual_networks_take_any_size(scale: int, halvings: int) -> None:
    network = Residual(4, 3, scale=scale, width=4, blocks=1, halvings=halvings)
    for height, width in ((8, 8), (13, 10)):
        made = network(torch.randn(2, 4, height, width))
        assert made.shape == (2, 3, scale * height, scale * width)


@pytest.mark.parametrize("resolution", [16, 28, 64])
def test_u_nets_take_any_size(resolution: int) -> None:
    network = UNet(4, 3, resolution, width=4, max_width=8, dropout=0.5).eval()
    for height, width in ((resolution, resolution), (resolution + 3, 2 * resolution + 1)):
        assert network(torch.randn(2, 4, height, width)).shape == (2, 3, height, width)


@pytest.mark.parametrize("network", [Residual(1, 1, width=4, blocks=2), UNet(1, 1, 16, width=4)])
def test_every_parameter_gets_a_finite_gradient(network: nn.Module) -> None:
    network(torch.randn(4, 1, 16, 16)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_a_residual_network_looks_as_far_as_it_says() -> None:
    """A pixel that changes is felt within the radius, and never beyond."""
    torch.manual_seed(0)
    network = Residual(1, 1, scale=4, width=4, blocks=2, normalisation="batch").eval()
    radius = network.radius
    assert radius is not None
    side = 2 * radius + 9
    values = torch.randn(1, 1, side, side)
    changed = values.clone()
    changed[..., side // 2, side // 2] += 10
    with torch.no_grad():
        apart = (network(values) - network(changed)).abs()[0, 0].amax(0).nonzero() // 4
    reach = int((apart - side // 2).abs().max())
    assert radius - 2 <= reach <= radius


def test_networks_that_look_at_all_of_a_picture_say_so() -> None:
    assert Residual(1, 1, normalisation="instance").radius is None
    assert Residual(1, 1, halvings=1).radius is None


def test_what_is_added_to_a_naive_picture_begins_as_nothing() -> None:
    assert not Residual(1, 1, scale=2, output="linear")(torch.randn(1, 1, 4, 4)).any()


def test_a_u_net_refuses_to_change_sizes() -> None:
    with pytest.raises(ValueError, match="residual"):
        UNet(1, 1, 16, scale=2)
