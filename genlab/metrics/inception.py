"""The InceptionV3 features that published FID and KID values are measured on."""

import hashlib
import io
import logging
import os
import queue
import threading
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen

import torch
from torch import Tensor, nn

from genlab.io.reading import read_bytes
from genlab.metrics.features import FeaturesUnavailable, apply_in_batches
from genlab.words import installing

log = logging.getLogger(__name__)

WEIGHTS_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_MOST = 2**28  # bytes; the published file has 96 MB
ANSWER_SECONDS = 5.0
BATCH = 50


@dataclass(frozen=True, eq=False)
class InceptionFeatures:
    """torch-fidelity's port of the TensorFlow InceptionV3 of 2015-12-05, its 2048 pooled features.

    Heusel et al. 2017 and Binkowski et al. 2018 measure on this network, resized to in this way.
    """

    network: nn.Module
    weights_sha256: str
    device: torch.device
    name: str = field(default="inception-v3-2015-12-05/2048", init=False)
    resizer: str = field(default="bilinear-tensorflow1-299", init=False)

    def __call__(self, images: Tensor) -> Tensor:
        """Uint8 (N, 1 or 3, H, W) of any size to float32 (N, 2048) on the CPU.

        Raises:
            ValueError: images of another type or number of channels.
        """
        if images.ndim == 4 and images.shape[1] not in (1, 3):
            raise ValueError(f"InceptionV3 takes 1 or 3 channels, not {images.shape[1]}")
        return apply_in_batches(self._features, images, BATCH, self.device)

    @torch.inference_mode()
    def classes(self, features: Tensor) -> dict[str, Tensor]:
        """(N, 2048) to the probabilities (N, 1008) of "imagenet", without the last layer's bias.

        The published Inception Scores leave the bias out.
        """
        network: Any = self.network
        return {"imagenet": (features.to(self.device) @ network.fc.weight.mT).softmax(1).cpu()}

    def _features(self, images: Tensor) -> Tensor:
        features: tuple[Tensor] = self.network(images.expand(-1, 3, -1, -1))
        return features[0]


def inception(device: torch.device | str = "cpu") -> InceptionFeatures:
    """InceptionV3 on `device`; its weights come from torch.hub's folder, or else are downloaded.

    Raises:
        FeaturesUnavailable: torch-fidelity is not installed, or the published weights are neither
            on disk nor to be had within seconds.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise FeaturesUnavailable(
            f"InceptionV3 features: {error}: {installing('inception')}"
        ) from error

    content = _published_weights()
    # The extractor unpickles its weights file without restraint. The file is the published one by
    # now; what the extractor reads is a copy that can hold nothing but tensors.
    weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    copy = io.BytesIO()
    torch.save(weights, copy)
    copy.seek(0)
    network = FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=copy
    )
    device = torch.device(device)
    # Channels-last is a third faster on a CPU.
    network = network.eval().to(device, memory_format=torch.channels_last)
    return InceptionFeatures(network, WEIGHTS_SHA256, device)


def _published_weights() -> bytes:
    """The content of the weights file, kept where torch-fidelity looks for it too."""
    path = Path(torch.hub.get_dir(), "checkpoints", WEIGHTS_URL.rsplit("/", 1)[-1])
    try:
        present = path.exists()
        content = _read(path) if present else _download()
        if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
            source = path if present else WEIGHTS_URL
            raise FeaturesUnavailable(
                f"InceptionV3 weights: {source} is not the published file: "
                f"put one with SHA-256 {WEIGHTS_SHA256} at {path}"
            )
        if not present:
            _write(path, content)
    except (OSError, HTTPException) as error:
        raise FeaturesUnavailable(
            f"InceptionV3 weights: {error}: connect to the network, or put {WEIGHTS_URL} at {path}"
        ) from error
    return content


def _read(path: Path) -> bytes:
    return read_bytes(path, FeaturesUnavailable, limit=_MOST, follow=True)


def _download() -> bytes:
    log.info("downloading the InceptionV3 weights (96 MB) from %s", WEIGHTS_URL)
    with _answer() as response:
        return response.read()


def _answer() -> IO[bytes]:
    """The server's answer, waited for in a thread: a name server's silence heeds no time-out."""
    answers: queue.Queue[IO[bytes] | Exception] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(urlopen(WEIGHTS_URL, timeout=ANSWER_SECONDS))
        except (OSError, HTTPException) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: other processes may look for the file at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
