"""Batch normalisation by class against torch's own with that class's gain and offset."""

import copy

import pytest
import torch
import torch.nn.functional as F

from genlab.networks import Condition, Generator, convolutional, dense
from genlab.networks.conditional_normalisation import ConditionalBatchNorm


def test_each_class_has_a_gain_and_an_offset_of_its_own() -> None:
    layer = ConditionalBatchNorm(3, 2)
    values = torch.randn(8, 3, 4, 4)
    layer.condition = F.one_hot(torch.arange(8) % 2, 2).float()
    torch.testing.assert_close(layer(values), F.batch_norm(values, None, None, training=True))
    torch.nn.init.normal_(layer.gain.weight)
    torch.nn.init.normal_(layer.offset.weight)
    result = layer(values)
    for kind in (0, 1):
        gain, offset = layer.gain.weight[:, kind], layer.offset.weight[:, kind]
        expected = F.batch_norm(values, None, None, gain, offset, training=True)
        torch.testing.assert_close(result[kind::2], expected[kind::2])


def generator(**settings) -> Generator:
    torch.manual_seed(0)

    def decoder(inputs: int) -> convolutional.Decoder:
        return convolutional.Decoder(inputs, 8, 1, width=4)

    condition = Condition({"label": list("abc"), "size": ["s", "l"]})
    return Generator(decoder, 5, condition, conditional_normalisation=True, **settings)


def test_a_generator_is_told_labels_by_its_normalisations_alone() -> None:
    network = generator()
    assert network.decoder.blocks[0][0].in_features == 5
    noise = torch.randn(4, 5)
    labels = {"label": torch.tensor([0, 1, 2, 0]), "size": torch.tensor([0, 1, 0, 1])}
    before = network(network.latents(noise, labels))
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, ConditionalBatchNorm):
                layer.offset.weight[:, 1] += 1.0  # of label b
    after = network(network.latents(noise, labels))
    changed = (before != after).flatten(1).any(1)
    assert changed.tolist() == [False, True, False, False]
    assert copy.deepcopy(network).eval()(network.latents(noise, labels)).shape == (4, 1, 8, 8)


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a condition"):
        Generator(lambda inputs: dense.Decoder(inputs, 8, 1, [4]), 5, None, True)
    condition = Condition({"label": list("abc")})
    with pytest.raises(ValueError, match="batch normalisation"):
        Generator(lambda inputs: dense.Decoder(inputs, 8, 1, [4]), 5, condition, True)
