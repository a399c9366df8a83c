"""Networks that grow: continuity at both ends of a fade, sizes as published."""

import functools
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from genlab.networks import Critic, Head, MinibatchDeviation, StyleDecoder, progan, stylegan
from genlab.networks.growing import at_stage, enlarged, reduced

SMALL = {"resolution": 16, "channels": 3, "base": 128, "most": 16}


def decoder(kind: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "progan":
        return progan.Decoder(inputs=8, **SMALL).eval()
    synthesis = functools.partial(stylegan.Decoder, **SMALL)
    return StyleDecoder(8, 8, synthesis, mapping_layers=2, style=8).eval()


def encoder() -> nn.Module:
    torch.manual_seed(0)
    return progan.Encoder(**SMALL)


def millions(network: nn.Module) -> float:
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


@pytest.mark.parametrize("kind", ["progan", "stylegan"])
def test_a_new_resolution_begins_as_the_old_one_enlarged(kind: str) -> None:
    network, latents = decoder(kind), torch.randn(4, 8)
    old = network(latents, resolution=8, fade=1.0)
    assert old.shape == (4, 3, 8, 8)
    new = network(latents, resolution=16, fade=0.0)
    torch.testing.assert_close(new, enlarged(old), rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["progan", "stylegan"])
def test_a_fade_is_a_straight_line_and_the_old_head_has_no_part_in_its_end(kind: str) -> None:
    network, latents = decoder(kind), torch.randn(4, 8)
    begin, middle, end = (network(latents, resolution=16, fade=f) for f in (0.0, 0.25, 1.0))
    torch.testing.assert_close(middle, torch.lerp(begin, end, 0.25))
    heads = network.to_picture if kind == "progan" else network.synthesis.to_picture
    nn.init.constant_(heads[1].weight, 7.0)
    assert torch.equal(network(latents, resolution=16, fade=1.0), end)
    assert torch.equal(network(latents), end)


def test_the_critic_fades_in_the_same_way() -> None:
    network = encoder()
    images = enlarged(torch.randn(4, 3, 8, 8))
    old = network(reduced(images), resolution=8)
    torch.testing.assert_close(network(images, resolution=16, fade=0.0), old, rtol=0, atol=0)
    end = network(images, resolution=16, fade=1.0)
    nn.init.constant_(network.from_picture[1][0].weight, 7.0)
    assert torch.equal(network(images, resolution=16, fade=1.0), end)


def test_real_images_fade_too() -> None:
    images = torch.randn(2, 3, 16, 16)
    assert at_stage(images) is images
    half = at_stage(images, resolution=8)
    torch.testing.assert_close(half, reduced(images))
    torch.testing.assert_close(at_stage(images, resolution=16, fade=0.0), enlarged(half))
    assert torch.equal(at_stage(images, resolution=16, fade=1.0), images)


@pytest.mark.parametrize("kind", ["progan", "stylegan"])
def test_layers_that_are_not_in_use_get_no_gradients_and_do_no_work(kind: str) -> None:
    network = decoder(kind).train()
    network(torch.randn(4, 8), resolution=8, fade=1.0).square().sum().backward()
    synthesis = network if kind == "progan" else network.synthesis
    used = [any(p.grad is not None for p in block.parameters()) for block in synthesis.blocks]
    assert used == [True, True, False]
    assert [head.weight.grad is not None for head in synthesis.to_picture] == [False, True, False]


def test_low_resolutions_cost_less() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = progan.Decoder(inputs=8, resolution=32, channels=3, base=512, most=32)
    costs = []
    for resolution in (4, 8, 16, 32):
        with FlopCounterMode(display=False) as counter:
            network(torch.randn(1, 8), resolution=resolution)
        costs.append(counter.get_total_flops())
    assert all(later > 1.5 * earlier for earlier, later in pairwise(costs))


@pytest.mark.parametrize("resolution", [4, 8, 64])
def test_any_power_of_two_will_do(resolution: int) -> None:
    made = progan.Decoder(8, resolution, 1, base=64, most=8)(torch.randn(2, 8))
    assert made.shape == (2, 1, resolution, resolution)
    assert progan.Encoder(resolution, 1, base=64, most=8)(made).shape == (2, 8, 4, 4)


def test_other_sizes_are_refused_with_one_that_fits() -> None:
    with pytest.raises(ValueError, match=r"resolution=100 .* data.resolution to, say, 96$"):
        progan.Decoder(8, 100, 1)


def test_the_progressive_gan_has_the_published_sizes() -> None:
    """Karras et al. 2018, table 2: 23.1 million parameters for each player at 1024 pixels."""
    generator = progan.Decoder(512, 1024, 3)
    critic = Critic(
        functools.partial(progan.Encoder, resolution=1024),
        3,
        across={"deviation": MinibatchDeviation},
        head=functools.partial(Head, outputs=512),
        equalised=True,
    )
    assert millions(generator) == pytest.approx(23.1, abs=0.05)
    assert millions(critic) == pytest.approx(23.1, abs=0.05)


def test_stylegan_has_the_published_size() -> None:
    """Karras et al. 2019, section 2: 26.2 million parameters at 1024 pixels."""
    synthesis = functools.partial(stylegan.Decoder, resolution=1024, channels=3)
    assert millions(StyleDecoder(512, 512, synthesis)) == pytest.approx(26.2, abs=0.05)


def gradient(values: Tensor, wanted: Tensor) -> Tensor:
    return torch.autograd.grad(values.sum(), wanted, create_graph=True)[0]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_critics_can_be_derived_twice_in_every_precision(precision: torch.dtype) -> None:
    critic = Critic(
        functools.partial(progan.Encoder, resolution=16, base=128, most=16, blur=True),
        3,
        across={"deviation": MinibatchDeviation},
        head=functools.partial(Head, outputs=16),
        equalised=True,
    )
    images = torch.randn(4, 3, 16, 16, requires_grad=True)
    with torch.autocast("cpu", precision, enabled=precision is not torch.float32):
        gradient(critic(images), images).square().sum().backward()
    for name, parameter in critic.named_parameters():
        without = name.endswith("bias") or "from_picture.0" in name or "from_picture.1" in name
        assert without or bool(parameter.grad.isfinite().all()), name
