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
    """Write codes (N, n), columns of N values about them and images uint8 (N, C, H, W).

    `folder` becomes a run of its own in TensorBoard and is written anew; pass one that holds
    nothing else.
    """
    shutil.rmtree(folder, ignore_errors=True)  # TensorBoard would show the old codes beside
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
    """Images (N, 3, S, S) in [0, 1], small enough for all to fit into the one texture allowed."""
    side = min(images.shape[2], _LARGEST_SPRITE // math.ceil(math.sqrt(len(images))))
    pictures = images.float() / 255
    if side < images.shape[2]:
        pictures = F.interpolate(pictures, size=(side, side), mode="area")
    return pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures
