import functools

import pytest
import torch

from genlab.networks import (
    Condition,
    Critic,
    Generator,
    MinibatchDeviation,
    MinibatchDiscrimination,
    convolutional,
    dense,
    progan,
    residual,
)
from genlab.remedies.penalties import R1

CLASSES = {"label": ["a", "b", "c"]}
ENCODERS = {
    "dense": functools.partial(dense.Encoder, resolution=12, widths=[16]),
    "convolutional": functools.partial(convolutional.Encoder, resolution=12, width=8),
    "residual": functools.partial(residual.Encoder, resolution=12, width=8),
}


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(
    "across",
    [
        None,
        {"none": None, "discrimination": MinibatchDiscrimination},
        {"discrimination": MinibatchDiscrimination, "deviation": MinibatchDeviation},
        {"deviation": MinibatchDeviation, "discrimination": MinibatchDiscrimination},
    ],
)
@pytest.mark.parametrize("spectral", [False, True])
def test_any_encoder_makes_a_critic_with_gradients_everywhere(encoder, across, spectral) -> None:
    critic = Critic(
        ENCODERS[encoder],
        3,
        across=across,
        condition=Condition(CLASSES),
        classes=CLASSES,
        spectral=spectral,
    )
    labels = {"label": torch.tensor([0, 1, 2, 0])}
    judged = critic.judge(torch.rand(4, 3, 12, 12), labels)
    assert judged.logits.shape == (4, 1)
    assert judged.classes["label"].shape == (4, 3)
    (judged.logits.square().mean() + judged.classes["label"].square().mean()).backward()
    for name, parameter in critic.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_projection_adds_the_inner_product_of_label_and_features() -> None:
    critic = Critic(ENCODERS["dense"], 1, condition=Condition(CLASSES))
    images = torch.rand(2, 1, 12, 12)
    plain = critic.logit(critic.encoder(images))
    told = critic(images, {"label": torch.tensor([2, 0])})
    embedded = critic.projection.weight.T[torch.tensor([2, 0])]
    expected = plain + (embedded * critic.encoder(images)).sum(1, keepdim=True)
    torch.testing.assert_close(told, expected)


@pytest.mark.parametrize("equalised", [False, True])
def test_labels_weigh_as_much_as_features_at_first(equalised: bool) -> None:
    """The projection neither drowns the logit nor is drowned by it, however many labels."""
    torch.manual_seed(0)
    classes = {f"label{number}": list("abcde") for number in range(8)}
    critic = Critic(
        functools.partial(dense.Encoder, resolution=12, widths=[512]),
        1,
        condition=Condition(classes),
        equalised=equalised,
    )
    features = torch.randn(500, 512)
    labels = {name: torch.randint(5, (500,)) for name in classes}
    assert not any(name == "projection.bias" for name, _ in critic.named_parameters())
    told = critic.projection_scale * critic.projection(critic.condition(labels))
    ratio = (told * features).sum(1).std() / critic.logit(features).std()
    assert 0.3 < ratio < 10


def test_packed_images_are_judged_together() -> None:
    critic = Critic(ENCODERS["dense"], 1, pack=2)
    images = torch.rand(6, 1, 12, 12)
    assert critic(images).shape == (3, 1)
    torch.testing.assert_close(critic(images[2:4])[0], critic(images)[1])
    assert critic(images[[0, 2]]).item() != critic(images[:2]).item()
    with pytest.raises(ValueError, match=r"data.batch_size"):
        critic(images[:3])


def test_packed_images_keep_their_labels() -> None:
    critic = Critic(ENCODERS["dense"], 1, pack=2, condition=Condition(CLASSES), classes=CLASSES)
    images = torch.rand(4, 1, 12, 12)
    labels = torch.tensor([0, 1, 2, 0])
    assert critic.labels == list(CLASSES)
    judgement = critic.judge(images, {"label": labels})
    assert judgement.logits.shape == (2, 1)
    assert judgement.classes["label"].shape == (4, 3)
    exchanged = critic(images, {"label": labels[[1, 0, 2, 0]]})
    assert exchanged[0] != judgement.logits[0]
    assert exchanged[1] == judgement.logits[1]
    # What a pack is said to be depends on that pack alone.
    later = critic.judge(images[2:], {"label": labels[2:]}).classes["label"]
    torch.testing.assert_close(later, judgement.classes["label"][2:])


@pytest.mark.parametrize("equalised", [False, True])
def test_spectral_layers_have_norm_one(equalised: bool) -> None:
    torch.manual_seed(0)
    encoder = functools.partial(progan.Encoder, resolution=8, base=32, most=8)
    critic = Critic(
        encoder if equalised else ENCODERS["dense"], 1, spectral=True, equalised=equalised
    )
    for _ in range(30):
        critic(torch.rand(2, 1, *[8 if equalised else 12] * 2))
    layers = [m for m in critic.modules() if hasattr(m, "parametrizations")]
    assert len(layers) > 1
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        assert norm.item() == pytest.approx(1.0, abs=0.03)
        assert getattr(layer, "scale", 1.0) == 1.0


def test_a_compiled_critic_says_the_same_and_can_be_derived_twice() -> None:
    critic = Critic(ENCODERS["dense"], 1)
    images = torch.rand(2, 1, 12, 12)
    plain = critic.judge(images)
    critic.compile(backend="aot_eager")
    torch.testing.assert_close(critic.judge(images), plain)
    penalty = R1(1.0)(critic, images, images)
    penalty.backward()
    assert critic.logit.weight.grad is not None


def test_minibatch_discrimination_is_the_papers_sum() -> None:
    layer = MinibatchDiscrimination([6], kernels=4, width=3)
    features = torch.randn(5, 6)
    told = layer(features)
    assert torch.equal(told[:, :6], features)
    rows = layer.tensor(features).view(5, 4, 3)
    for i in range(5):
        for b in range(4):
            others = [j for j in range(5) if j != i]
            expected = sum(torch.exp(-(rows[i, b] - rows[j, b]).abs().sum()) for j in others)
            torch.testing.assert_close(told[i, 6 + b], expected)


def test_minibatch_deviation_tells_equal_images_from_different_ones() -> None:
    layer = MinibatchDeviation([3, 2, 2], group=4)
    values = torch.randn(8, 3, 2, 2)
    told = layer(values)
    assert told.shape == (8, *layer.shape) == (8, 4, 2, 2)
    group = values[[1, 3, 5, 7]]
    expected = (group.var(0, correction=0) + 1e-8).sqrt().mean()
    torch.testing.assert_close(told[3, 3], expected.expand(2, 2))
    assert layer(values[:1].expand(4, -1, -1, -1))[:, 3].max() < 2e-4
    assert layer(values[:3]).shape == (3, 4, 2, 2)


@pytest.mark.parametrize("resolution", [8, 20, 28, 32, 48])
@pytest.mark.parametrize("channels", [1, 3])
def test_residual_networks_fit_any_size(resolution: int, channels: int) -> None:
    decoder = functools.partial(
        residual.Decoder, resolution=resolution, channels=channels, width=8, max_width=16
    )
    generator = Generator(decoder, 5, Condition(CLASSES))
    latents = generator.latents(torch.randn(2, 5), {"label": torch.tensor([0, 2])})
    images = generator(latents)
    assert images.shape == (2, channels, resolution, resolution)
    assert images.abs().max() <= 1
    encoder = residual.Encoder(resolution, channels, width=8, max_width=16)
    assert encoder(images).shape == (2, *encoder.shape)
    images.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())
