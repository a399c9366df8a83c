"""Original images in their own mode and size, into which a model's pixels are pasted."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from genlab.bounds import WHITE_LEVEL
from genlab.commands.inputs import FIX
from genlab.data.image_files import decoding, opened
from genlab.data.pixels import pillow_quiet
from genlab.drawing.image_grid import to_image

# Pillow's modes that a PNG can store; others become RGB.
_KEPT = ("L", "LA", "RGB", "RGBA", "I;16")
_BECOMES = {"1": "L"}


def original(path: Path) -> Image.Image:
    """The image of a file, rotated by EXIF, with colours, transparency and 16-bit grey.

    In mode L, LA, RGB, RGBA or I;16; a palette is converted to its colours, and 16-bit colours to
    8 bits, see `loses_bits`.

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
    """Whether the file has 16-bit colours, or 16-bit grey with transparency: 8 bits are read."""
    with opened(path, FIX) as image:
        # The packing of the file's pixels, such as RGB;16B, is one of the decoder's arguments.
        packed = str([part[3] for part in getattr(image, "tile", ())])
        return ";16" in packed and not image.mode.startswith("I")


def pasted(
    image: Image.Image, output: Tensor, holes: Tensor, white_level: int = WHITE_LEVEL
) -> Image.Image:
    """The original, in its own mode, with the model's pixels where holes (H, W) are 1.

    Those pixels, of `output` uint8 (C, H, W), become opaque. All others stay as they are.
    """
    filling = to_image(output)
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
