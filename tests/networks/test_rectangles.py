"""Every network at 48 x 80 pixels and 4 channels, there and back."""

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from genlab.networks import (
    Critic,
    Head,
    MinibatchDeviation,
    StyleDecoder,
    VectorQuantiser,
    convolutional,
    dense,
    progan,
    residual,
    stylegan,
    stylegan2,
    translators,
)
from genlab.networks.chain import Chain
from genlab.networks.growing import at_stage, enlarged, reduced
from genlab.networks.styles import own_noise

SIZE, CHANNELS = [48, 80], 4

ENCODERS: dict[str, tuple[Callable[[], Chain], tuple[int, ...]]] = {
    "dense": (lambda: dense.Encoder(SIZE, CHANNELS, [16, 9]), (9,)),
    "no layers": (lambda: dense.Encoder(SIZE, CHANNELS, []), (4, 48, 80)),
    "convolutional": (lambda: convolutional.Encoder(SIZE, CHANNELS, width=4), (16, 6, 10)),
    "outputs": (lambda: convolutional.Encoder(SIZE, CHANNELS, outputs=7, width=4), (7,)),
    "one odd side": (lambda: convolutional.Encoder([36, 40], 4, width=4, levels="all"), (16, 5, 5)),
    "residual": (lambda: residual.Encoder(SIZE, CHANNELS, width=4), (16,)),
    "progan": (lambda: progan.Encoder(SIZE, CHANNELS, base=64, most=8, blur=True), (8, 6, 10)),
    "skip": (lambda: stylegan2.Encoder(SIZE, CHANNELS, base=64, most=8, form="skip"), (8, 6, 10)),
    "stylegan2": (lambda: stylegan2.Encoder(SIZE, CHANNELS, base=64, most=8), (8, 6, 10)),
}


def styled(synthesis: Callable[..., Chain], **settings: str) -> StyleDecoder:
    made = functools.partial(
        synthesis, resolution=SIZE, channels=CHANNELS, base=64, most=8, **settings
    )
    return StyleDecoder(8, 8, made, mapping_layers=2, style=6)


DECODERS: dict[str, Callable[[], Chain]] = {
    "dense": lambda: dense.Decoder(8, SIZE, CHANNELS, [16, 9]),
    "convolutional": lambda: convolutional.Decoder(8, SIZE, CHANNELS, width=4),
    "residual": lambda: residual.Decoder(8, SIZE, CHANNELS, width=4),
    "progan": lambda: progan.Decoder(8, SIZE, CHANNELS, base=64, most=8),
    "stylegan": lambda: styled(stylegan.Decoder),
    "stylegan2": lambda: styled(stylegan2.Decoder),
    "residual stylegan2": lambda: styled(stylegan2.Decoder, form="residual"),
}


def images(size: list[int] = SIZE, count: int = 4) -> Tensor:
    return torch.rand(count, CHANNELS, *size) * 2 - 1


def assert_gradients(network: nn.Module, output: Tensor) -> None:
    """Of every parameter, of finite numbers. A head of an earlier stage has none."""
    output.square().sum().backward()
    for name, parameter in network.named_parameters():
        if "_picture" in name and parameter.grad is None:
            continue
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders(name: str) -> None:
    torch.manual_seed(0)
    make, shape = ENCODERS[name]
    network = make()
    features = network(images([36, 40] if name == "one odd side" else SIZE))
    assert network.shape == shape
    assert features.shape == (4, *shape)
    if name != "no layers":
        assert_gradients(network, features)


@pytest.mark.parametrize("name", DECODERS)
def test_decoders(name: str) -> None:
    torch.manual_seed(0)
    network = DECODERS[name]()
    made = network(torch.randn(4, 8))
    assert network.shape == (4, 48, 80)
    assert made.shape == (4, 4, 48, 80)
    assert made.isfinite().all()
    assert_gradients(network, made)


@pytest.mark.parametrize("size", [[36, 40], [28, 50], [50, 28], [20, 100]])
def test_odd_sides_are_doubled_to(size: list[int]) -> None:
    convolution = convolutional.Decoder(8, size, 1, width=4, levels="all")
    for network in (convolution, residual.Decoder(8, size, 1, width=4)):
        assert network(torch.randn(2, 8)).shape == (2, 1, *size)
    encoder = convolutional.Encoder(size, 1, width=4, levels="all")
    assert encoder(torch.randn(2, 1, *size)).shape[1:] == encoder.shape
    assert residual.Encoder(size, 1, width=4)(torch.randn(2, 1, *size)).isfinite().all()


def test_a_u_net_halves_the_smaller_side_to_four_to_seven() -> None:
    network = translators.UNet(CHANNELS, 3, SIZE, width=4, max_width=8)
    assert len(network.halvings) == 3
    made = network(images())
    assert made.shape == (4, 3, 48, 80)
    assert_gradients(network, made)


def test_a_critic_judges_rectangles() -> None:
    critic = Critic(
        functools.partial(progan.Encoder, resolution=SIZE, base=64, most=8),
        CHANNELS,
        across={"deviation": MinibatchDeviation},
        head=functools.partial(Head, outputs=5),
        equalised=True,
    )
    assert critic(images()).shape == (4, 1)
    patches = functools.partial(convolutional.Encoder, resolution=SIZE, width=4, levels=2)
    assert Critic(patches, CHANNELS, patches=True)(images()).shape == (4, 12 * 20)


def test_a_codebook_takes_maps_of_any_ratio() -> None:
    encoder = convolutional.Encoder(SIZE, CHANNELS, width=4)
    quantiser = VectorQuantiser(encoder.shape, entries=8, width=3)
    assert quantiser.outputs == (3, 6, 10)
    code = quantiser(encoder(images()))
    assert code.indices.shape == (4, 60)
    decoder = convolutional.Decoder(quantiser.outputs, SIZE, CHANNELS, width=4)
    assert decoder(code.values).shape == (4, 4, 48, 80)
    assert decoder(quantiser.prior(2)).shape == (2, 4, 48, 80)


@pytest.mark.parametrize("name", ["progan", "stylegan"])
def test_generators_of_rectangles_grow(name: str) -> None:
    """Stages are 6 x 10, 12 x 20, 24 x 40 and 48 x 80; at fade 0 nothing is new."""
    torch.manual_seed(0)
    network = DECODERS[name]().eval()
    latents = torch.randn(2, 8)
    for height, width in ((6, 10), (12, 20), (24, 40), (48, 80)):
        assert network(latents, resolution=height).shape == (2, 4, height, width)
    begun = network(latents, resolution=24, fade=0.0)
    torch.testing.assert_close(begun, enlarged(network(latents, resolution=12)))
    critic = progan.Encoder(SIZE, CHANNELS, base=64, most=8)
    assert critic(begun, resolution=24, fade=0.5).shape == (2, 8, 6, 10)


def test_real_rectangles_are_reduced_to_a_stage() -> None:
    real = images()
    assert torch.equal(at_stage(real, 48), real)
    torch.testing.assert_close(at_stage(real, 12), reduced(real, 4))


def test_styles_are_two_for_each_stage() -> None:
    decoder = styled(stylegan.Decoder)
    assert decoder.synthesis.layers == 8
    assert [decoder.synthesis.layers_at(stage) for stage in (6, 12, 24, 48)] == [2, 4, 6, 8]


def test_an_image_has_its_own_noise_at_any_ratio() -> None:
    torch.manual_seed(0)
    decoder = styled(stylegan2.Decoder).eval()
    for name, parameter in decoder.named_parameters():
        if name.endswith("strength"):
            nn.init.ones_(parameter)
    latents = torch.randn(3, 8)
    with own_noise(decoder):
        both, alone = decoder(latents), decoder(latents[1:2])
    torch.testing.assert_close(both[1:2], alone)
    assert not torch.equal(both, decoder(latents))


def test_sizes_without_a_common_power_of_two_are_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match=r"resolution=\[48,85\] .* data\.resolution to.*\[48,80\]"):
        stylegan2.Encoder([48, 85], 3)
