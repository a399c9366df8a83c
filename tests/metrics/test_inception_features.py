"""How the InceptionV3 weights are found, checked and read; the package itself is a stand-in."""

import hashlib
import pickle
import sys
import time
import types
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab.errors import ResourceError
from genlab.metrics import FeaturesUnavailable, extract, inception


class StandIn(nn.Module):
    """Takes the arguments, and reads the file, as torch-fidelity's extractor does."""

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path) -> None:
        super().__init__()
        assert features_list == ["2048"]
        self.last = nn.Linear(3, 2048)
        self.fc = nn.Linear(2048, 1008)
        self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=False))

    def forward(self, images: Tensor) -> tuple[Tensor]:
        assert images.dtype == torch.uint8
        return (self.last(images.float().mean((2, 3))),)


WEIGHTS = {
    "last.weight": torch.rand(2048, 3),
    "last.bias": torch.rand(2048),
    "fc.weight": torch.randn(1008, 2048) / 100,
    "fc.bias": torch.rand(1008),
}


class Harmful:
    ran = False

    def __reduce__(self):
        return (setattr, (Harmful, "ran", True))


@pytest.fixture
def weights_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the weights belong; torch-fidelity is there, the network and the file are not."""
    module = types.ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.FeatureExtractorInceptionV3 = StandIn
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def unreachable(url: str, timeout: float) -> None:
        raise URLError("no route")

    monkeypatch.setattr(inception, "urlopen", unreachable)
    return tmp_path / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"


def publish(content: object, path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Write `content` to `path` as if it were the published file."""
    path.parent.mkdir(exist_ok=True)
    torch.save(content, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "WEIGHTS_SHA256", digest)
    return path.read_bytes()


def test_features_of_colour_and_grey_images(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(WEIGHTS, weights_file, monkeypatch)
    network = inception.inception()
    assert network.weights_sha256 == inception.WEIGHTS_SHA256
    assert network.resizer == "bilinear-tensorflow1-299"
    grey = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    features = extract(network, [grey, grey.repeat(1, 3, 1, 1)])
    assert features.shape == (6, 2048)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features[:3], features[3:])
    with pytest.raises(ValueError, match="1 or 3 channels, not 4"):
        network(torch.zeros(1, 4, 8, 8, dtype=torch.uint8))


def test_classes_are_told_without_the_last_layers_bias(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the published Inception Scores are, which differ from the network's own answer."""
    publish(WEIGHTS, weights_file, monkeypatch)
    features = torch.rand(5, 2048)
    told = inception.inception().classes(features)["imagenet"]
    torch.testing.assert_close(told, (features @ WEIGHTS["fc.weight"].T).softmax(1))
    biased = F.linear(features, WEIGHTS["fc.weight"], WEIGHTS["fc.bias"]).softmax(1)
    assert not torch.allclose(told, biased, rtol=0.01)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(FeaturesUnavailable, match=r'pip install -e "\S+\[inception\]"') as caught:
        inception.inception()
    assert isinstance(caught.value, ResourceError)
    assert "\n" not in str(caught.value)


def test_without_weights_or_network(weights_file: Path) -> None:
    with pytest.raises(FeaturesUnavailable, match="no route") as caught:
        inception.inception()
    assert str(weights_file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_silent_network_is_not_waited_for(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inception, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(inception, "urlopen", lambda url, timeout: time.sleep(3))
    started = time.monotonic()
    with pytest.raises(FeaturesUnavailable, match=r"no answer within 0.2 s"):
        inception.inception()
    assert time.monotonic() - started < 2


def test_download_is_kept(
    weights_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = tmp_path / "server" / "file"
    content = publish(WEIGHTS, server, monkeypatch)
    monkeypatch.setattr(inception, "urlopen", lambda url, timeout: server.open("rb"))
    inception.inception()
    assert weights_file.read_bytes() == content
    assert list(weights_file.parent.iterdir()) == [weights_file]


def test_damaged_files_are_refused(
    weights_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = tmp_path / "server"
    server.write_bytes(b"an error page")
    monkeypatch.setattr(inception, "urlopen", lambda url, timeout: server.open("rb"))
    with pytest.raises(FeaturesUnavailable, match=r"https://.* is not the published file"):
        inception.inception()
    assert not weights_file.exists()

    weights_file.parent.mkdir()
    weights_file.write_bytes(b"half a file")
    with pytest.raises(FeaturesUnavailable, match=r"checkpoints/.* is not the published file"):
        inception.inception()


def test_no_code_in_a_weights_file_runs(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Harmful(), weights_file, monkeypatch)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        inception.inception()
    assert not Harmful.ran
