"""Images of the forms that are usual in Python, converted to those of a run's networks."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlab.commands import inputs
from genlab.drawing.sheets import sheet
from genlab.errors import DataError
from genlab.runs.loaded import LoadedRun

KINDS = "a uint8 tensor (N, C, H, W), a uint8 array (N, H, W) or (N, H, W, C), PIL images, or paths"


def as_images(given: Any, loaded: LoadedRun) -> Tensor:
    """Images uint8 (N, C, H, W) of the run's size.

    Args:
        given: one image or several: a uint8 tensor (N, C, H, W) or (C, H, W), a uint8 array
            (N, H, W, C), (N, H, W) or (H, W), PIL images, or paths of image files and folders.
            Files and PIL images are cropped to a square and resized, like a folder of data.

    Raises:
        DataError: it has another type, or another size than the run's images.
    """
    if isinstance(given, Tensor):
        images = given.cpu() if given.ndim == 4 else given.cpu()[None]
    elif isinstance(given, np.ndarray):
        images = _of_array(given)
    else:
        images = _of_files(given, loaded)
    shape = loaded.description.shape
    if images.dtype != torch.uint8 or tuple(images.shape[1:]) != shape:
        raise DataError(
            f"images are {images.dtype} {tuple(images.shape)}; this run takes {KINDS}, of "
            f"{shape[0]} channel(s), {shape[1]} x {shape[2]} pixels"
        )
    return images


def grid(images: Tensor, columns: int | None = None, caption: str = "") -> Image.Image:
    """A grid of images uint8 (N, C, H, W): `grid(images).save("grid.png")`.

    Args:
        columns: number of columns; None makes the grid about as wide as high.
        caption: a line above the grid.
    """
    return sheet(images, caption, columns)


def _of_array(array: np.ndarray) -> Tensor:
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3)):
        array = array[None]
    if array.ndim == 3:
        array = array[..., None]
    return torch.from_numpy(np.ascontiguousarray(array)).permute(0, 3, 1, 2)


def _of_files(given: Any, loaded: LoadedRun) -> Tensor:
    items: Sequence[Any] = given if isinstance(given, list | tuple) else [given]
    if not items:
        raise DataError(f"there are no images: give {KINDS}")
    data = loaded.config.data
    read = inputs.reader(data)
    found = []
    for item in items:
        if isinstance(item, Image.Image):
            found.append(inputs.of_image(item, data.channels, data.resolution))
        elif isinstance(item, str | os.PathLike):
            found += [read(path) for path in inputs.listed(str(Path(item)), "images")]
        else:
            raise DataError(f"{type(item).__name__} is not an image: give {KINDS}")
    return torch.stack(found)
