"""The two translators of a cycle between two kinds of images."""

from collections.abc import Callable

from torch import Tensor, nn


class Cycle(nn.Module):
    """From the first kind to the second and back, by a network each (Zhu et al. 2017).

    Args:
        translator: makes a network from `inputs`, `channels` and `scale`.
        channels: of images of both kinds.
    """

    def __init__(self, translator: Callable[..., nn.Module], channels: int) -> None:
        super().__init__()
        self.translators = nn.ModuleList(
            translator(inputs=channels, channels=channels, scale=1) for _ in range(2)
        )

    def forward(self, images: Tensor, kind: int) -> Tensor:
        """Images (B, C, H, W) of the kind 0 or 1 to the other one."""
        result: Tensor = self.translators[kind](images)
        return result
