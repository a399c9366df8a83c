"""Codes for TensorBoard's projector."""

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

_LARGEST_SPRITE = 8192


def write_projector(
    folder: Path, codes: Tensor, columns: Mapping[str, Sequence[object]], images: Tensor
) -> None:
    """Write codes (N, n), columns of N values each, and images uint8 (N, C, H, W).

    `folder` becomes a separate run in TensorBoard. All its content is removed first.
    """
    shutil.rmtree(folder, ignore_errors=True)  # TensorBoard would show old codes as well
    rows = [[_cell(value) for value in row] for row in zip(*columns.values(), strict=True)]
    single = len(columns) == 1
    with SummaryWriter(str(folder)) as writer:
        writer.add_embedding(
            codes,
            metadata=[row[0] for row in rows] if single else rows,
            metadata_header=None if single else list(columns),
            label_img=_sprites(images),
            tag="codes",
        )


def _cell(value: object) -> str:
    return " ".join(str(value).split()) or "-"  # tabs and line ends would break the table


def _sprites(images: Tensor) -> Tensor:
    """Images (N, 3, S, S) in [0, 1], small enough to fit into TensorBoard's single texture."""
    side = min(images.shape[2], _LARGEST_SPRITE // math.ceil(math.sqrt(len(images))))
    images = images.float() / 255
    if side < images.shape[2]:
        images = F.interpolate(images, size=(side, side), mode="area")
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
