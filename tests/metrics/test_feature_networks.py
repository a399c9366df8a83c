"""The adapters that turn images into features."""

import pytest
import torch
from torch import Tensor, nn

from genlab.metrics import ClassifierFeatures, FeatureNetwork, extract, features, state_sha256


class Classifier(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6), nn.Dropout()
        )
        self.seen: list[Tensor] = []

    def features(self, images: Tensor) -> Tensor:
        self.seen.append(images)
        return self.encoder(images)


def pictures(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 1, 4, 4), dtype=torch.uint8, generator=generator)


@pytest.fixture
def network() -> ClassifierFeatures:
    return ClassifierFeatures(Classifier(), "labels", "abc")


def test_classifier_sees_batches_on_minus_one_to_one(
    network: ClassifierFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "CLASSIFIER_BATCH", 8)
    images = pictures(20)
    images[0, 0, 0, 0], images[0, 0, 0, 1] = 0, 255
    result = network(images)
    assert result.shape == (20, 6)
    assert result.dtype == torch.float32
    assert not result.requires_grad
    seen = network.network.seen
    assert [len(batch) for batch in seen] == [8, 8, 4]
    assert (seen[0].min(), seen[0].max()) == (-1, 1)


def test_classifier_is_in_eval_mode_and_full_precision(network: ClassifierFeatures) -> None:
    images = pictures(10)
    expected = network(images)
    network.network.train()
    before = state_sha256(network.network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network(images), expected)
    assert state_sha256(network.network) == before


def test_features_can_be_used_further(network: ClassifierFeatures) -> None:
    result = network(pictures(4))
    assert not result.is_inference()
    assert result.add_(1).shape == (4, 6)


def test_stamp(network: FeatureNetwork) -> None:
    assert (network.name, network.weights_sha256, network.resizer) == ("labels", "abc", "none")


def test_extract_joins_batches(network: ClassifierFeatures) -> None:
    images = pictures(10)
    torch.testing.assert_close(extract(network, images.split(3)), network(images))
    with pytest.raises(ValueError, match="no images"):
        extract(network, [])


def test_images_of_another_type_are_refused(network: ClassifierFeatures) -> None:
    with pytest.raises(ValueError, match=r"uint8 .*, not torch.float32 \(2, 1, 4, 4\)"):
        network(pictures(2).float())
    with pytest.raises(ValueError, match="uint8"):
        network(pictures(2)[0])


def test_hash_is_that_of_the_weights() -> None:
    first = state_sha256(Classifier(0))
    assert first == state_sha256(Classifier(0))
    assert len(first) == 64
    assert first != state_sha256(Classifier(1))
    changed = Classifier(0)
    changed.encoder[2].running_mean += 1e-6
    assert first != state_sha256(changed)


def test_hash_of_known_weights_stays() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0]]))
        layer.bias.zero_()
    assert state_sha256(layer) == (
        "f1e7a9defdddebf65ed16be715ff157db9e83621b6fec5dd097167189d098b25"
    )
