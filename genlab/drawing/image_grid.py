"""Grids of images with captions, and their files."""

import io
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from genlab.io.files import write_atomically

MOST_PIXELS = 4_300_000
"""Of a grid in a file: 64 images of 256 x 256 pixels."""
MOST_LOSSLESS = 1_200_000
"""Pixels of a grid that is kept as PNG, and shown as it is: 64 images of 128 x 128 pixels.

Larger ones are JPEGs, and what TensorBoard, which checks each byte in pure Python (.08 s per MiB),
and animations show of them is `SHOWN_WIDTH` wide.
"""
JPEG_QUALITY = 95
"""Of a grid in a file, its colours at full resolution; 11 MB at most, whatever it shows."""
SUFFIXES = (".png", ".jpg")
"""Of grids in files."""
SHOWN_WIDTH = 512
_MARGIN = 2
_FONT_SIZE = 16
_TARGET_WIDTH = 640
_LONGEST_NAME = 28


def to_image(tensor: Tensor) -> Image.Image:
    """One image, uint8 (C, H, W), for Pillow; grey if C is 1."""
    array = tensor.permute(1, 2, 0).numpy()
    return Image.fromarray(array[:, :, 0] if tensor.shape[0] == 1 else array)


def grid(
    images: Tensor,
    columns: int | None = None,
    caption: str = "",
    apart: Collection[int] = (),
    margin: int = _MARGIN,
) -> Image.Image:
    """Images uint8 (N, C, H, W) in a grid of `columns`, by default nearly square.

    Small grids are enlarged by an integer factor, without smoothing; the caption is above.
    `margin` is the distance between images in pixels of the images; there is a wider gap before
    the columns `apart`.
    """
    count, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + margin, width + margin
    gap = math.ceil(width / 4)
    sheet = torch.full(
        (channels, rows * cell_height + margin, columns * cell_width + margin + gap * len(apart)),
        255,
        dtype=torch.uint8,
    )
    for index, tensor in enumerate(images.cpu()):
        row, column = divmod(index, columns)
        top = row * cell_height + margin
        left = column * cell_width + margin + gap * sum(column >= place for place in apart)
        sheet[:, top : top + height, left : left + width] = tensor
    image = to_image(sheet).convert("RGB")
    scale = max(1, round(_TARGET_WIDTH / image.width))
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    return with_caption(image, caption) if caption else image


def fitting(height: int, width: int) -> int:
    """How many images of a size fit into a square grid of MOST_PIXELS; at least one."""
    side = math.isqrt(MOST_PIXELS) - _MARGIN
    return max(1, (side // (height + _MARGIN)) * (side // (width + _MARGIN)))


def bounded(image: Image.Image) -> Image.Image:
    """The image, reduced by an integer factor if it has far more than MOST_PIXELS."""
    excess = math.sqrt(image.width * image.height / MOST_PIXELS)
    return image.reduce(math.ceil(excess)) if excess > 1.1 else image


def thumbnail(image: Image.Image, content: bytes) -> tuple[bytes, tuple[int, int]]:
    """The file's content and (width, height); for a large image a JPEG, 512 pixels wide."""
    if image.width * image.height <= MOST_LOSSLESS:
        return content, image.size
    small = narrowed(image.convert("RGB"))
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=90)
    return buffer.getvalue(), small.size


def narrowed(image: Image.Image) -> Image.Image:
    """The image, resized to a width of `SHOWN_WIDTH` pixels."""
    height = max(1, round(image.height * SHOWN_WIDTH / image.width))
    return image.resize((SHOWN_WIDTH, height), Image.Resampling.BOX)


def save_png(image: Image.Image, path: Path) -> bytes:
    """Write an image atomically, with its folder; returns the file's content."""
    return _save(image, path, format="PNG", compress_level=1)


def save_grid(image: Image.Image, path: Path) -> bytes:
    """Write an RGB grid as a PNG, or as a JPEG above `MOST_LOSSLESS` pixels; as `save_png` does.

    The path has no suffix. A file of the other kind, of an earlier version, is removed.
    """
    png, jpeg = (path.with_name(path.name + suffix) for suffix in SUFFIXES)
    if image.width * image.height <= MOST_LOSSLESS:
        content, other = save_png(image, png), jpeg
    else:
        content = _save(image, jpeg, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
        other = png
    other.unlink(missing_ok=True)
    return content


def _save(image: Image.Image, path: Path, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(buffer.getvalue()), durable=False)
    return buffer.getvalue()


def shortened(name: str) -> str:
    """A name, cut to the length that captions and legends have room for."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def with_caption(image: Image.Image, caption: str, centred: bool = False) -> Image.Image:
    """The image with a caption above it, wrapped to its width."""
    font = ImageFont.load_default(size=_FONT_SIZE)
    lines = [""]
    for word in caption.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > image.width - 12:
            lines.append(word)
        else:
            lines[-1] = longer
    height = 20 * len(lines) + 6
    sheet = Image.new("RGB", (image.width, image.height + height), "white")
    for number, line in enumerate(lines):
        left = (image.width - font.getlength(line)) / 2 if centred else 6
        ImageDraw.Draw(sheet).text((left, 4 + 20 * number), line, fill="black", font=font)
    sheet.paste(image, (0, height))
    return sheet


def with_row_captions(image: Image.Image, captions: Sequence[str]) -> Image.Image:
    """The grid with a caption to the left of each row."""
    font = ImageFont.load_default(size=_FONT_SIZE)
    width = math.ceil(max(map(font.getlength, captions))) + 14
    sheet = Image.new("RGB", (image.width + width, image.height), "white")
    for number, caption in enumerate(captions):
        middle = (number + 0.5) * image.height / len(captions)
        ImageDraw.Draw(sheet).text((6, middle), caption, fill="black", font=font, anchor="lm")
    sheet.paste(image, (width, 0))
    return sheet


def with_column_captions(image: Image.Image, captions: Sequence[str]) -> Image.Image:
    """The grid, of columns of equal width, with a wrapped caption above each column."""
    width = image.width // len(captions)
    blank = Image.new("RGB", (width, 0))
    labels = [with_caption(blank, caption, centred=True) for caption in captions]
    height = max(label.height for label in labels)
    sheet = Image.new("RGB", (image.width, image.height + height), "white")
    for number, label in enumerate(labels):
        sheet.paste(label, (number * width, height - label.height))
    sheet.paste(image, (0, height))
    return sheet


def with_both_captions(
    image: Image.Image, rows: Sequence[str], columns: Sequence[str]
) -> Image.Image:
    """The grid, of columns of equal width, with captions of its columns and rows ([] for none)."""
    named = with_row_captions(image, rows) if rows else image
    above = with_column_captions(Image.new("RGB", (image.width, 0)), columns)
    sheet = Image.new("RGB", (named.width, above.height + named.height), "white")
    sheet.paste(above, (named.width - image.width, 0))
    sheet.paste(named, (0, above.height))
    return sheet
