import pytest
import torch
from torch import nn

from genlab.networks import Average


def test_half_of_the_old_weights_is_left_after_the_half_life() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = Average(network, half_life_images=1000)
    nn.init.ones_(network.weight)
    for step in range(10):
        average.update(network, images_seen=10**9 + 100 * step, batch_images=100)
    assert average.network.weight.item() == pytest.approx(0.5, rel=1e-5)


def test_it_ramps_up_and_copies_at_first() -> None:
    average = Average(nn.Linear(2, 2), half_life_images=10_000, ramp_up=0.05)
    assert average.decay(0, 64) == 0.0
    assert average.decay(20_000, 1000) == pytest.approx(0.5)  # half-life 20 000 * .05
    assert average.decay(10**9, 10_000) == pytest.approx(0.5)


def test_no_half_life_follows_exactly_buffers_included() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    average = Average(network, half_life_images=0)
    network(torch.randn(8, 2))
    average.update(network, images_seen=100, batch_images=8)
    for name, tensor in network.state_dict().items():
        assert torch.equal(average.network.state_dict()[name], tensor), name


def test_it_stays_in_evaluation_mode_and_needs_no_gradient() -> None:
    average = Average(nn.BatchNorm1d(3), half_life_images=10).train()
    assert not average.network.training
    assert not any(p.requires_grad for p in average.parameters())
