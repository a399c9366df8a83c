"""Blocks one after another."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn


class Chain(nn.Module):
    """A network as a list of blocks, so that parts of it can be trained, frozen or mirrored.

    Args:
        blocks: applied in turn.
        shape: of what the last block puts out, without the batch.
    """

    grows = False  # whether it takes a resolution and a fade (see `growing`)

    def __init__(self, blocks: Iterable[nn.Module], shape: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.shape = tuple(shape)

    def forward(self, values: Tensor) -> Tensor:
        """(B, ...) to (B, *shape)."""
        for block in self.blocks:
            values = block(values)
        return values
