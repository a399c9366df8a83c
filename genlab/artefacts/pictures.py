"""Grids of images as labelled PNGs, and their evolution as an animated GIF."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from genlab.artefacts.files import write_atomically

_MARGIN = 2
_TARGET_WIDTH = 640
_MAX_FRAMES = 60


def to_uint8(pictures: Tensor) -> Tensor:
    """Float in [-1, 1] to rounded uint8, the shape unchanged."""
    return pictures.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def to_image(picture: Tensor) -> Image.Image:
    """One picture uint8 (C, H, W) for Pillow, grey where C is 1."""
    array = picture.permute(1, 2, 0).numpy()
    return Image.fromarray(array[:, :, 0] if picture.shape[0] == 1 else array)


def grid(pictures: Tensor, columns: int | None = None, caption: str = "") -> Image.Image:
    """Pictures uint8 (N, C, H, W) in rows of `columns` (near square by default), enlarged.

    Small pictures are enlarged by a whole factor, pixel for pixel; the caption stands above.
    """
    count, channels, height, width = pictures.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + _MARGIN, width + _MARGIN
    sheet = torch.full(
        (channels, rows * cell_height + _MARGIN, columns * cell_width + _MARGIN),
        255,
        dtype=torch.uint8,
    )
    for index, picture in enumerate(pictures.cpu()):
        top = index // columns * cell_height + _MARGIN
        left = index % columns * cell_width + _MARGIN
        sheet[:, top : top + height, left : left + width] = picture
    image = to_image(sheet).convert("RGB")
    scale = max(1, _TARGET_WIDTH // image.width)
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    return _with_caption(image, caption) if caption else image


def save_png(image: Image.Image, path: Path) -> bytes:
    """Write one picture atomically, making its folder; returns the file's content."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(buffer.getvalue()), durable=False)
    return buffer.getvalue()


def save_gif(frames: Sequence[Path], path: Path, seconds: float = 6.0) -> tuple[int, int]:
    """Animate PNGs of one size, evenly thinned to 60 frames, holding the last; returns the size."""
    step = max(1, math.ceil(len(frames) / _MAX_FRAMES))
    chosen = [*frames[:-1:step], frames[-1]]
    pictures = [Image.open(frame) for frame in chosen]
    # One palette for all: the last frame's colours are those that the run arrives at.
    last = pictures[-1].quantize()
    images = [picture.quantize(palette=last, dither=Image.Dither.NONE) for picture in pictures]
    each = max(40, int(1000 * seconds / len(images)))
    durations = [each] * (len(images) - 1) + [1500]
    write_atomically(
        path,
        lambda file: images[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=durations,
            loop=0,
        ),
    )
    return last.size


def _with_caption(image: Image.Image, caption: str) -> Image.Image:
    font = ImageFont.load_default(size=16)
    sheet = Image.new("RGB", (image.width, image.height + 26), "white")
    ImageDraw.Draw(sheet).text((6, 4), caption, fill="black", font=font)
    sheet.paste(image, (0, 26))
    return sheet
