"""Exported weights: every flipped bit is noticed, and what is no weights file is one line."""

import random
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from genlab.errors import CheckpointError
from genlab.runs.weights import export_weights, read_weights, weights_images_seen


class Learner:
    """As much of one as is exported."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.exported = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        self.images_seen = 640

    @property
    def tensors(self) -> dict[str, Tensor]:
        return self.exported.state_dict()


@pytest.fixture
def learner() -> Learner:
    return Learner()


def written(path: Path, tensors: dict[str, Tensor], **metadata: str) -> Path:
    path.write_bytes(save(tensors, metadata={"images_seen": "640"} | metadata))
    return path


def test_what_was_exported_is_read(learner, tmp_path: Path) -> None:
    export_weights(learner, tmp_path / "w")
    weights = read_weights(tmp_path / "w", learner.tensors)
    assert weights.images_seen == weights_images_seen(tmp_path / "w") == 640
    assert weights.tensors.keys() == learner.tensors.keys()
    assert all(
        torch.equal(weights.tensors[name], learner.tensors[name]) for name in learner.tensors
    )
    assert weights_images_seen(tmp_path / "nothing") is None


def test_every_flipped_bit_is_noticed(learner, tmp_path: Path) -> None:
    path = tmp_path / "w"
    export_weights(learner, path)
    content = path.read_bytes()
    chance = random.Random(0)
    for place in [*range(0, 100), *(chance.randrange(len(content)) for _ in range(200))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=str(path)):
            read_weights(path)


def test_files_from_before_hashes_are_read(learner, tmp_path: Path) -> None:
    assert (
        read_weights(written(tmp_path / "w", learner.tensors), learner.tensors).images_seen == 640
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"0.bias": torch.zeros(3)}, r"0\.bias is float32 \(3,\), not float32 \(2,\)"),
        ({"0.bias": torch.zeros(2, dtype=torch.int8)}, r"is int8 \(2,\), not float32"),
        ({"0.bias": None}, r"0\.bias is missing"),
        ({"0.bias": None, "0.weight": None}, r"0\.weight is missing and 1 more"),
        ({"more": torch.zeros(1)}, "more is unknown"),
        ({"0.bias": torch.tensor([0.0, torch.nan])}, r"0\.bias has values that are not finite"),
        ({"1.running_var": torch.tensor([1.0, torch.inf])}, "not finite"),
    ],
)
def test_other_networks_and_values_are_named(learner, change, says: str, tmp_path: Path) -> None:
    tensors = {n: t for n, t in {**learner.tensors, **change}.items() if t is not None}
    with pytest.raises(CheckpointError, match=says) as refused:
        read_weights(written(tmp_path / "w", tensors), learner.tensors)
    assert len(str(refused.value)) < 300


def test_halves_are_as_good_as_singles(learner, tmp_path: Path) -> None:
    half = {n: t.half() if t.is_floating_point() else t for n, t in learner.tensors.items()}
    assert read_weights(written(tmp_path / "w", half), learner.tensors).tensors


@pytest.mark.parametrize("images", ["-1", "many", "1.5", "9" * 5000, ""])
def test_images_seen_is_a_whole_number(learner, images: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="images_seen"):
        read_weights(written(tmp_path / "w", learner.tensors, images_seen=images))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 15) + b'{"a":{"dtype":1',
    ],
)
def test_what_is_no_weights_file_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(CheckpointError, match=str(tmp_path / "w")) as refused:
        read_weights(tmp_path / "w")
    assert len(str(refused.value).splitlines()) == 1
