from functools import partial

import pytest
import torch
from torch import nn

from genlab.networks import (
    Autoencoder,
    Condition,
    GaussianBottleneck,
    PlainBottleneck,
    SharedVariance,
    VectorQuantiser,
    convolutional,
    dense,
)

PLAIN = partial(PlainBottleneck, codes=3)


def dense_autoencoder(bottleneck=PLAIN, resolution=8, channels=1, **settings) -> Autoencoder:
    return Autoencoder(
        dense.Encoder(resolution, channels, [16, 8]),
        bottleneck,
        partial(dense.Decoder, resolution=resolution, channels=channels, widths=[16, 8]),
        **settings,
    )


def convolutional_autoencoder(bottleneck=PLAIN, resolution=16, channels=1, **settings):
    levels = settings.pop("levels", None)
    sizes = {"width": 4, "max_width": 8, "levels": levels}
    decoder = partial(
        convolutional.Decoder, resolution=resolution, channels=channels, output="linear", **sizes
    )
    encoder = convolutional.Encoder(resolution, channels, **sizes)
    return Autoencoder(encoder, bottleneck, decoder, **settings)


MAKERS = [dense_autoencoder, convolutional_autoencoder]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("codes", [1, 2, 128])
@pytest.mark.parametrize(("resolution", "channels"), [(8, 1), (20, 3), (28, 1), (48, 3), (64, 1)])
def test_image_grid_keep_their_shape(make, codes: int, resolution: int, channels: int) -> None:
    network = make(partial(GaussianBottleneck, codes=codes), resolution, channels)
    images = torch.rand(2, channels, resolution, resolution) * 2 - 1
    result = network.learn(images)
    assert result.output.shape == images.shape
    assert result.code.values.shape == (2, codes)
    assert network.decode(network.bottleneck.prior(3)).shape == (3, *images.shape[1:])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "bottleneck", [PLAIN, partial(GaussianBottleneck, codes=3)], ids=["plain", "gaussian"]
)
def test_every_parameter_gets_a_finite_gradient(make, bottleneck) -> None:
    network = make(bottleneck)
    size = 8 if make is dense_autoencoder else 16
    result = network.learn(torch.randn(4, 1, size, size))
    penalty = sum(field.square().sum() for field in result.code)
    (result.output.square().sum() + penalty).backward()
    assert_gradients(network)


def test_every_parameter_of_a_quantised_autoencoder_gets_a_finite_gradient() -> None:
    bottleneck = partial(VectorQuantiser, entries=8, width=4, prior_width=8)
    network = convolutional_autoencoder(bottleneck, levels=2)
    result = network.learn(torch.randn(4, 1, 16, 16))
    (result.output.square().sum() + result.code.distance.sum() + result.code.nats.sum()).backward()
    assert_gradients(network)


def assert_gradients(network: nn.Module) -> None:
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("make", MAKERS)
def test_tied_decoders_use_the_encoders_parameters_transposed(make) -> None:
    free, tied = make(), make(tied=True)
    weights = sum(p.numel() for p in free.parameters() if p.ndim > 1)
    assert sum(p.numel() for p in tied.parameters() if p.ndim > 1) == weights / 2
    pairs = tied.pairs
    for encode, decode in pairs:
        down = next(m for m in encode.modules() if isinstance(m, nn.Linear | nn.Conv2d))
        up = next(m for m in decode.modules() if type(m).__name__ == "Transposed")
        assert up.weight is down.weight


def test_a_tied_linear_layer_is_the_adjoint_of_the_encoders() -> None:
    """<W x, y> = <x, W^T y> for dense and convolutional layers, biases left out."""
    for make, size in ((dense_autoencoder, 8), (convolutional_autoencoder, 16)):
        network = make(tied=True)
        down = next(m for m in network.encoder.modules() if isinstance(m, nn.Linear | nn.Conv2d))
        up = [m for m in network.decoder.modules() if type(m).__name__ == "Transposed"][-1]
        nn.init.zeros_(down.bias)
        nn.init.zeros_(up.bias)
        x = torch.randn(1, 1, size, size)
        x = x.flatten(1) if isinstance(down, nn.Linear) else x
        y = torch.randn_like(down(x))
        torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum())


def test_tied_networks_must_mirror_each_other() -> None:
    decoder = partial(dense.Decoder, resolution=8, channels=1, widths=[12])
    with pytest.raises(ValueError, match="mirror"):
        Autoencoder(dense.Encoder(8, 1, [16]), PLAIN, decoder, tied=True)


def test_a_tied_network_is_copied_and_stored_without_doubles() -> None:
    network = dense_autoencoder(tied=True)
    state = network.state_dict()
    assert len({tensor.data_ptr() for tensor in state.values()}) == len(state)
    other = dense_autoencoder(tied=True)
    other.load_state_dict(state)
    images = torch.randn(2, 1, 8, 8)
    network.eval(), other.eval()
    assert torch.equal(network(images).output, other(images).output)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("tied", [False, True])
def test_a_block_learns_on_the_codes_below_it_and_nothing_else_changes(make, tied: bool) -> None:
    torch.manual_seed(0)
    network = make(tied=tied)
    size = 8 if make is dense_autoencoder else 16
    images = torch.randn(6, 1, size, size)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for block, (encode, decode) in enumerate(network.pairs):
        learning = {id(t) for m in (encode, decode) for t in [*m.parameters(), *m.buffers()]}
        before = {n: t.clone() for n, t in network.state_dict(keep_vars=True).items()}
        for _ in range(2):
            result = network.learn(images, block=block)
            optimizer.zero_grad()
            (result.output - result.target).square().sum().backward()
            optimizer.step()
        changed = 0
        for name, tensor in network.state_dict(keep_vars=True).items():
            if id(tensor) in learning:
                changed += not torch.equal(tensor, before[name])
            else:
                assert torch.equal(tensor, before[name]), name
        assert changed >= 2
        network.eval()
        assert network(images, block=block).output.shape == images.shape


def test_all_blocks_together_are_the_whole_network() -> None:
    network = dense_autoencoder().eval()
    images = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(network(images, block=2).output, network(images).output)


def test_corruption_meets_the_input_and_the_target_stays_clean() -> None:
    def black(values, low, high):
        return torch.full_like(values, low)

    network = dense_autoencoder()
    images = torch.rand(3, 1, 8, 8)
    result = network.learn(images, corruption=black)
    assert torch.equal(result.target, images)
    torch.testing.assert_close(result.output[0], result.output[1])
    above = network.learn(images, corruption=black, block=1)
    torch.testing.assert_close(above.output[0], above.output[1])
    assert above.target.shape == (3, 16)


def test_a_condition_reaches_encoder_and_decoder() -> None:
    condition = Condition({"label": ["a", "b"], "hair": ["x", "y", "z"]})
    network = dense_autoencoder(condition=condition).eval()
    images = torch.randn(2, 1, 8, 8)[:1].expand(2, 1, 8, 8)
    labels = {"label": torch.tensor([0, 1]), "hair": torch.tensor([2, 2])}
    code = network.encode(images, labels)
    assert not torch.equal(code.values[0], code.values[1])
    same = code.values[:1].expand(2, 3)
    decoded = network.decode(same, condition(labels))
    assert not torch.equal(decoded[0], decoded[1])
    with pytest.raises(ValueError, match="needed"):
        network(images)


def test_a_learned_variance_follows_the_picture() -> None:
    network = dense_autoencoder(output=SharedVariance(1))
    assert network(torch.randn(2, 1, 8, 8)).output.shape == (2, 2, 8, 8)
