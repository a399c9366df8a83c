"""From images to the features that distances are measured on."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from genlab.errors import ResourceError
from genlab.pixels import normalise

CLASSIFIER_BATCH = 500


class FeaturesUnavailable(ResourceError):
    """A feature network whose package or weights are not to be had."""


class FeatureNetwork(Protocol):
    """Images to features, with all that a value measured on them must name."""

    @property
    def name(self) -> str:
        """The network and its layer."""

    @property
    def weights_sha256(self) -> str:
        """Which weights, in hexadecimal."""

    @property
    def resizer(self) -> str:
        """How images reach the network's size, "none" where they are taken as they are."""

    def __call__(self, images: Tensor) -> Tensor:
        """Uint8 (N, C, H, W) to float32 (N, D) on the CPU."""

    def classes(self, features: Tensor) -> dict[str, Tensor]:
        """Features (N, D) to the probabilities (N, classes) of every label that it tells."""


def extract(network: FeatureNetwork, batches: Iterable[Tensor]) -> Tensor:
    """Features (N, D) in float32, on the CPU, of batches of uint8 images (B, C, H, W).

    Raises:
        ValueError: no batch, or images that are not uint8 (B, C, H, W).
    """
    features = [network(images) for images in batches]
    if not features:
        raise ValueError("there are no images to take features of")
    return torch.cat(features)


def apply_in_batches(
    function: Callable[[Tensor], Tensor], images: Tensor, size: int, device: torch.device
) -> Tensor:
    """`function` of `size` images at a time on `device`, outside autocast and without gradients.

    Args:
        function: uint8 (B, C, H, W) to (B, D).
        images: uint8 (N, C, H, W) on any device.

    Returns:
        Float32 (N, D) on the CPU.

    Raises:
        ValueError: images that are not uint8 (N, C, H, W).
    """
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise ValueError(
            f"images must be uint8 (N, C, H, W), not {images.dtype} {tuple(images.shape)}"
        )
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        parts = [function(part.to(device)).float().cpu() for part in images.split(size)]
    return torch.cat(parts)


@dataclass(frozen=True, eq=False)
class ClassifierFeatures:
    """A classifier: `features` takes images in [-1, 1] to (N, D), `heads` those to logits.

    It stays in eval mode. `kinds` are the names of its classes by label.
    """

    network: nn.Module
    name: str
    weights_sha256: str
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    resizer: str = field(default="none", init=False)

    def __call__(self, images: Tensor) -> Tensor:
        """Uint8 (N, C, H, W), with the classifier's C, H and W, to float32 (N, D) on the CPU."""
        self.network.eval()
        device = next(self.network.parameters()).device
        return apply_in_batches(self._features, images, CLASSIFIER_BATCH, device)

    @torch.inference_mode()
    def classes(self, features: Tensor) -> dict[str, Tensor]:
        """(N, D) on the CPU to the probabilities (N, classes) of every label, there too."""
        network: Any = self.network
        device = next(network.parameters()).device
        logits = {name: head(features.to(device)) for name, head in network.heads.items()}
        return {name: value.float().softmax(1).cpu() for name, value in logits.items()}

    def _features(self, images: Tensor) -> Tensor:
        network: Any = self.network
        result: Tensor = network.features(normalise(images))
        return result


def state_sha256(network: nn.Module) -> str:
    """SHA-256, in hexadecimal, of a network's parameters and buffers, whatever file holds them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
