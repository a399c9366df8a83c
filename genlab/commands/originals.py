"""Images as their files hold them: what a model makes is put into these, so that all else stays."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from genlab.bounds import WHITE_LEVEL
from genlab.commands.inputs import FIX
from genlab.data.image_files import decoding, opened
from genlab.data.pixels import pillow_quiet
from genlab.drawing.pictures import to_image

# What a PNG holds of the modes that Pillow reads; others become RGB.
_KEPT = ("L", "LA", "RGB", "RGBA", "I;16")
_BECOMES = {"1": "L"}


def original(path: Path) -> Image.Image:
    """The image of a file upright, as PNGs hold it: with colours, transparency, 16 bits of grey.

    In mode L, LA, RGB, RGBA or I;16; a palette becomes the colours that it stands for,
    and colours of 16 bits have 8, see `loses_bits`.

    Raises:
        DataError: it cannot be read, or is too large to decode, see `opened`.
    """
    with pillow_quiet(), opened(path, FIX) as image, decoding(image):
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode == "F":
            raise ValueError("32-bit float pixels have no stated range")
        if image.mode == "I;16":
            return image
        if image.mode.startswith("I"):
            return Image.fromarray(np.clip(np.asarray(image), 0, WHITE_LEVEL).astype(np.uint16))
        mode = _BECOMES.get(image.mode, image.mode if image.mode in _KEPT else "RGB")
        if image.has_transparency_data:
            mode = "LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"
        return image if image.mode == mode else image.convert(mode)


def loses_bits(path: Path) -> bool:
    """Whether the file has colours, or grey with transparency, of 16 bits, of which 8 are read."""
    with opened(path, FIX) as image:
        # How the file's pixels are packed, such as RGB;16B: a part of what its decoder is told.
        packed = str([part[3] for part in getattr(image, "tile", ())])
        return ";16" in packed and not image.mode.startswith("I")


def pasted(
    image: Image.Image, made: Tensor, holes: Tensor, white_level: int = WHITE_LEVEL
) -> Image.Image:
    """The original with pixels made, uint8 (C, H, W), where holes (H, W) are 1, in its own mode.

    They are opaque. All other pixels stay as they are.
    """
    filling = to_image(made)
    if image.mode == "I;16":
        grey = np.asarray(filling.convert("L")).astype(np.uint32)
        deep = ((grey * white_level + 127) // 255).astype(np.uint16)
        values = np.where(holes.numpy() > 0, deep, np.asarray(image)).astype(np.uint16)
        result = Image.fromarray(values)
        result.info = image.info
        return result
    result = image.copy()
    result.paste(filling.convert(image.mode), (0, 0), Image.fromarray(holes.numpy() * 255))
    return result


def has_colour(image: Image.Image) -> bool:
    """Whether the image is not grey, whatever its mode."""
    if not image.mode.startswith("RGB"):
        return False
    colours = np.asarray(image)[:, :, :3]
    return bool((colours != colours[:, :, :1]).any())
