import pytest
import torch

from genlab.networks import convolutional, dense
from genlab.networks.layers import sizes


@pytest.mark.parametrize("resolution", [8, 16, 20, 28, 32, 36, 48, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_resolution_and_channels_there_and_back(resolution: int, channels: int) -> None:
    encoder = convolutional.Encoder(resolution, channels, outputs=10, width=8)
    decoder = convolutional.Decoder(10, resolution, channels, width=8)
    images = torch.randn(2, channels, resolution, resolution)
    vector = encoder(images)
    assert vector.shape == (2, 10)
    assert decoder(vector).shape == images.shape


def test_an_odd_resolution_is_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match=r"resolution=25 .* data\.resolution"):
        convolutional.Encoder(25, 1, outputs=1)


def test_maps_are_halved_down_to_four_to_seven_pixels() -> None:
    reached = {r: sizes(r)[-1].width for r in (16, 20, 28, 32, 48, 64, 128, 256)}
    assert reached == {16: 4, 20: 5, 28: 7, 32: 4, 48: 6, 64: 4, 128: 4, 256: 4}
    assert sizes(28, "all") == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert [size.width for size in sizes(100, "all")] == [100, 50, 25, 13, 7, 4]
    assert sizes(32, 2) == [(32, 32), (16, 16), (8, 8)]


def test_both_sides_of_a_rectangle_are_halved_while_the_smaller_one_can_be() -> None:
    assert sizes([48, 80]) == [(48, 80), (24, 40), (12, 20), (6, 10)]
    assert sizes([48, 44]) == [(48, 44), (24, 22), (12, 11)]
    assert sizes([48, 44], "all") == [(48, 44), (24, 22), (12, 11), (6, 6)]
    with pytest.raises(ValueError, match=r"resolution=\[48,25\] .* data\.resolution"):
        sizes([48, 25])


@pytest.mark.parametrize("resolution", [20, 28, 36, 52, 100])
def test_odd_sides_are_halved_and_doubled_again(resolution: int) -> None:
    encoder = convolutional.Encoder(resolution, 1, width=4, levels="all")
    decoder = convolutional.Decoder(10, resolution, 1, width=4, levels="all")
    assert encoder(torch.randn(2, 1, resolution, resolution)).shape[1:] == encoder.shape
    assert decoder(torch.randn(2, 10)).shape == (2, 1, resolution, resolution)


def test_the_dcgan_guidelines() -> None:
    """No normalisation on the critic's input and the generator's output; weights N(0, .02^2)."""
    critic = convolutional.Encoder(32, 3, outputs=1, weight_deviation=0.02)
    generator = convolutional.Decoder(100, 32, 3, weight_deviation=0.02)
    kinds = [type(layer).__name__ for block in critic.blocks for layer in block]
    assert kinds[:5] == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU"]
    kinds = [type(layer).__name__ for block in generator.blocks for layer in block]
    assert kinds[-3:] == ["ReLU", "ConvTranspose2d", "Tanh"]
    weights = torch.cat([p.flatten() for n, p in critic.named_parameters() if p.ndim == 4])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize(
    "network",
    [
        convolutional.Encoder(16, 3, outputs=4, width=8),
        dense.Encoder(16, 3, widths=[32, 4]),
    ],
)
def test_every_parameter_gets_a_finite_gradient(network: torch.nn.Module) -> None:
    network(torch.randn(4, 3, 16, 16)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_unknown_names_are_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="activation='rely' is none of relu"):
        dense.Encoder(8, 1, [4], activation="rely")
    with pytest.raises(ValueError, match="normalisation='bach' is none of batch"):
        convolutional.Encoder(16, 1, 4, normalisation="bach")
