"""StyleGAN's and StyleGAN2's networks against what the papers say of them."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.networks import (
    Condition,
    Critic,
    Generator,
    Head,
    MinibatchDeviation,
    StyleDecoder,
    stylegan,
    stylegan2,
)
from genlab.networks.modulated import ModulatedConv2d
from genlab.networks.noise import Noise, keys_of
from genlab.networks.resampling import Blur, Enlarge
from genlab.networks.stylegan import AdaptiveNorm
from genlab.networks.styles import own_noise, truncated

SMALL = {"resolution": 16, "channels": 3, "base": 128, "most": 16}
SYNTHESES = {
    "stylegan": functools.partial(stylegan.Decoder, **SMALL),
    "stylegan2": functools.partial(stylegan2.Decoder, **SMALL),
    "stylegan2 residual": functools.partial(stylegan2.Decoder, **SMALL, form="residual"),
}


@pytest.fixture(params=SYNTHESES)
def decoder(request: pytest.FixtureRequest) -> StyleDecoder:
    torch.manual_seed(0)
    return StyleDecoder(8, 8, SYNTHESES[request.param], mapping_layers=2, style=8).eval()


def loud(network: StyleDecoder) -> StyleDecoder:
    """The network with noise that can be seen."""
    for module in network.modules():
        if isinstance(module, Noise):
            module.strength.data.fill_(1.0)
    return network


def test_adaptive_norm_gives_each_map_the_deviation_and_mean_of_its_style() -> None:
    torch.manual_seed(0)
    norm, style = AdaptiveNorm(5, 8), torch.randn(3, 8)
    made = norm(7 + 3 * torch.randn(3, 5, 16, 16), style)
    scale, offset = norm.affine(style).chunk(2, 1)
    torch.testing.assert_close(made.mean((2, 3)), offset, atol=1e-5, rtol=0)
    torch.testing.assert_close(made.std((2, 3), correction=0), (1 + scale).abs())


def test_own_noise_is_decided_by_a_pictures_latent_alone(decoder: StyleDecoder) -> None:
    """Pictures of one style differ by their noise, which does not ask who is in the batch."""
    latents = torch.randn(5, 8)
    fixed, silent = loud(decoder)(latents), decoder.synthesis(decoder.styles(latents), "none")
    with own_noise(decoder):
        own, apart = decoder(latents), torch.cat([decoder(each) for each in latents.split(2)])
        torch.testing.assert_close(own, apart)
    assert not torch.allclose(own, fixed)
    assert not torch.allclose(own, silent)
    assert torch.equal(decoder(latents), fixed)


def test_own_noise_is_normal_and_differs_by_latent_and_layer() -> None:
    generator = torch.Generator().manual_seed(0)
    keys = keys_of(torch.randn(50, 8, generator=generator))
    assert len(set(keys.tolist())) == 50
    maps = []
    for seed in (0, 1):
        layer = Noise(32, 1, seed)
        layer.strength.data.fill_(1.0)
        layer.keys = keys
        maps.append(layer(torch.zeros(50, 1, 32, 32), "own").detach().flatten(1))
    values = torch.cat(maps).double()
    assert values.mean().item() == pytest.approx(0, abs=0.01)
    assert values.std().item() == pytest.approx(1, abs=0.01)
    assert (values.abs() < 1).double().mean().item() == pytest.approx(0.6827, abs=0.005)
    assert (values**4).mean().item() == pytest.approx(3, abs=0.1)
    correlations = torch.corrcoef(values) - torch.eye(100)
    assert correlations.abs().max() < 5.5 / 32  # of 4950 pairs with deviation 1/32
    neighbours = (values[:, 1:] * values[:, :-1]).mean().item()
    assert neighbours == pytest.approx(0, abs=0.015)


def test_noise_of_strength_0_changes_nothing(decoder: StyleDecoder) -> None:
    styles = decoder.styles(torch.randn(2, 8))
    pictures = [decoder.synthesis(styles, noise) for noise in ("none", "fixed", "random")]
    assert torch.equal(pictures[0], pictures[1])
    assert torch.equal(pictures[0], pictures[2])


def test_noise_of_some_strength_does(decoder: StyleDecoder) -> None:
    styles = loud(decoder).styles(torch.randn(2, 8))
    none, fixed, again, one, other = (
        decoder.synthesis(styles, noise) for noise in ("none", "fixed", "fixed", "random", "random")
    )
    assert torch.equal(fixed, again)
    assert not torch.equal(fixed, none)
    assert not torch.equal(one, other)


def test_a_picture_depends_on_its_own_latent_alone(decoder: StyleDecoder) -> None:
    latents = torch.randn(4, 8)
    torch.testing.assert_close(loud(decoder)(latents)[1:2], decoder(latents[1:2]))


@pytest.mark.parametrize("layer", range(6))
def test_styles_from_a_layer_on_leave_the_layers_before_as_they_are(
    decoder: StyleDecoder, layer: int
) -> None:
    """Every block's output is that of its own styles and of those before it."""
    first, second = decoder.styles(torch.randn(2, 8)).split(1)
    mixed = torch.cat([first[:, :layer], second[:, layer:]], 1)
    seen: list[Tensor] = []
    for block in decoder.synthesis.blocks:
        block.register_forward_hook(lambda module, given, made: seen.append(made))
    plain, other = decoder.synthesis(first), decoder.synthesis(mixed)
    assert not torch.equal(plain, other)
    before = [seen[i] for i in range(3)], [seen[i] for i in range(3, 6)]
    # StyleGAN2's last style of a resolution steers the picture's colours and the next block.
    whole = layer // 2
    for index in range(whole):
        assert torch.equal(before[0][index], before[1][index])


def test_training_mixes_styles_at_a_crossover(decoder: StyleDecoder) -> None:
    decoder.train()
    decoder.mixing = 1.0
    for seed in range(20):
        torch.manual_seed(seed)
        styles = decoder.styles(torch.randn(4, 8))
        changes = (styles[:, 1:] != styles[:, :-1]).any(2)
        assert changes.sum(1).tolist() == [1] * 4  # one place, the same for all of the batch
    decoder.mixing = 0.0
    styles = decoder.styles(torch.randn(4, 8))
    assert torch.equal(styles[:, 0], styles[:, -1])


def test_a_growing_network_mixes_only_layers_in_use() -> None:
    network = StyleDecoder(8, 8, SYNTHESES["stylegan"], 2, style=8, mixing=1.0)
    crossovers = set()
    for seed in range(40):
        torch.manual_seed(seed)
        styles = network.styles(torch.randn(1, 8), resolution=8)
        changes = (styles[0, 1:] != styles[0, :-1]).any(1)
        crossovers.add(int(changes.nonzero()[0]) + 1)
    assert crossovers == {1, 2, 3}


def test_the_mean_style_is_tracked_in_training_alone(decoder: StyleDecoder) -> None:
    latents = torch.randn(64, 8)
    decoder(latents)
    assert decoder.mean_style.abs().max() == 0
    decoder.train()
    decoder.mean_decay = 0.5
    for _ in range(20):
        decoder(latents)
    torch.testing.assert_close(decoder.mean_style, decoder.mapping(latents).mean(0))


def test_truncation_draws_styles_towards_the_mean() -> None:
    styles, mean = torch.randn(2, 6, 8), torch.randn(8)
    assert torch.equal(truncated(styles, mean, 1.0), styles)
    torch.testing.assert_close(truncated(styles, mean, 0.0), mean.expand(2, 6, 8))
    some = truncated(styles, mean, 0.5, layers=2)
    torch.testing.assert_close(some[:, :2], (styles[:, :2] + mean) / 2)
    assert torch.equal(some[:, 2:], styles[:, 2:])


def test_labels_are_embedded_beside_the_latent() -> None:
    torch.manual_seed(0)
    condition = Condition({"label": ["a", "b", "c"]})
    network = functools.partial(
        StyleDecoder, latent_size=8, synthesis=SYNTHESES["stylegan"], mapping_layers=2, style=8
    )
    generator = Generator(network, 8, condition).eval()
    noise = torch.randn(1, 8).expand(3, -1)
    pictures = generator(generator.latents(noise, {"label": torch.arange(3)}))
    assert not torch.equal(pictures[0], pictures[1])


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_both_forms_of_modulation_are_the_same(up: bool, demodulate: bool) -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(6, 5, 8, demodulate=demodulate, up=up, modulation="scaled")
    values, style = torch.randn(3, 6, 8, 8), torch.randn(3, 8)
    scaled = layer(values, style)
    layer.modulation = "grouped"
    torch.testing.assert_close(layer(values, style), scaled)
    assert scaled.shape == (3, 5, 16, 16) if up else (3, 5, 8, 8)


def test_demodulated_weights_have_unit_norm() -> None:
    """Equation 3 of the paper: outputs of unit inputs have the gain as their deviation."""
    torch.manual_seed(0)
    layer = ModulatedConv2d(64, 16, 8, gain=1.0)
    made = layer(torch.randn(64, 64, 16, 16), 10 * torch.randn(64, 8))
    assert made[..., 1:-1, 1:-1].std().item() == pytest.approx(1.0, rel=0.02)


def test_filters_keep_constant_maps_and_halve_and_double() -> None:
    maps = torch.ones(1, 2, 8, 8)
    inside = slice(2, -2)
    for layer, side in ((Blur((1, 2, 1)), 8), (Blur(padding=1, stride=2), 4), (Enlarge(), 16)):
        made = layer(maps)
        assert made.shape == (1, 2, side, side)
        middle = made[..., 1:-1, 1:-1] if side == 4 else made[..., inside, inside]
        torch.testing.assert_close(middle, torch.ones_like(middle))


def test_doubling_with_the_filter_of_stylegan2_is_bilinear() -> None:
    maps = torch.randn(1, 1, 8, 8)
    expected = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(Enlarge()(maps)[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2])


def millions(network: torch.nn.Module) -> float:
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


def test_stylegan2_has_the_published_size() -> None:
    """At 1024 pixels 30.37 million parameters for the generator and 29.01 for the critic."""
    synthesis = functools.partial(stylegan2.Decoder, resolution=1024, channels=3)
    assert millions(StyleDecoder(512, 512, synthesis)) == pytest.approx(30.37, abs=0.05)
    critic = Critic(
        functools.partial(stylegan2.Encoder, resolution=1024),
        3,
        across={"deviation": MinibatchDeviation},
        head=functools.partial(Head, outputs=512),
        equalised=True,
    )
    assert millions(critic) == pytest.approx(29.01, abs=0.05)


@pytest.mark.parametrize("form", ["residual", "skip"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_critic_can_be_derived_twice_in_every_precision(
    form: str, precision: torch.dtype
) -> None:
    encoder = functools.partial(stylegan2.Encoder, resolution=16, base=128, most=16, form=form)
    critic = Critic(encoder, 3, head=functools.partial(Head, outputs=16), equalised=True)
    images = torch.randn(4, 3, 16, 16, requires_grad=True)
    with torch.autocast("cpu", precision, enabled=precision is not torch.float32):
        (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
        gradient.square().sum().backward()
    for name, parameter in critic.named_parameters():
        assert name.endswith("bias") or bool(parameter.grad.isfinite().all()), name


def test_every_parameter_gets_a_finite_gradient(decoder: StyleDecoder) -> None:
    decoder.train()
    decoder(torch.randn(4, 8)).square().sum().backward()
    for name, parameter in decoder.named_parameters():
        # Heads of lower resolutions have no part once a network has grown.
        unused = "to_picture" in name and decoder.grows and "to_picture.2" not in name
        assert unused or bool(parameter.grad.isfinite().all()), name


def test_unknown_words_are_refused() -> None:
    for settings in ({"form": "dense"}, {"modulation": "fast"}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            stylegan2.Decoder(8, **{**SMALL, **settings})
