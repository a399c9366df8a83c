"""A feature network in the cache that is damaged is trained again, and is the same."""

from pathlib import Path

import pytest
import torch

from genlab.data.cache import cache_folder
from genlab.evaluation import classifier_run, feature_networks
from genlab.runs.run_folder import RunFolder


@pytest.mark.parametrize("damage", ["weights.safetensors", "summary.json"])
def test_a_damaged_network_is_trained_again(small_run: Path, monkeypatch, caplog, damage) -> None:
    monkeypatch.setattr(classifier_run, "CLASSIFIER_IMAGES", 640)
    config = RunFolder(small_run).config()
    cpu = torch.device("cpu")
    before = set((cache_folder() / "features").glob("*"))
    first = feature_networks.feature_network("classifier", config, cpu)
    trained = set((cache_folder() / "features").glob("*")) - before
    run = trained.pop() if trained else max(before, key=lambda path: path.stat().st_mtime)
    content = bytearray((run / damage).read_bytes())
    content[-1 if damage.endswith("safetensors") else 0] ^= 1
    (run / damage).write_bytes(content)
    again = feature_networks.feature_network("classifier", config, cpu)
    assert again.weights_sha256 == first.weights_sha256
    assert "the feature network is trained again" in caplog.text
    assert str(run / damage) in caplog.text
    assert feature_networks.feature_network("classifier", config, cpu).name == first.name


def test_a_network_of_few_images_ends_when_its_accuracy_is_level(
    small_run: Path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(classifier_run, "CLASSIFIER_IMAGES", 40_000)
    monkeypatch.setattr(classifier_run, "_EPOCHS", 0)
    monkeypatch.setattr(classifier_run, "_LEAST_IMAGES", 1000)
    caplog.set_level("INFO")
    before = set((cache_folder() / "features").glob("*"))
    network = feature_networks.feature_network(
        "classifier", RunFolder(small_run).config(), torch.device("cpu")
    )
    (run,) = set((cache_folder() / "features").glob("*")) - before
    summary = RunFolder(run).read_summary()
    assert 5000 <= summary["images_seen"] < 40_000
    assert f"validation accuracy: label {summary['metrics']['validation/accuracy/label']:.3f}" in (
        network.name
    )
    message = "on up to 40,000 images (features=none avoids this)"
    assert message in caplog.text
    assert "level at an accuracy of" in caplog.text
