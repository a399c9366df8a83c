"""Grids of images as labelled PNGs, and their evolution as an animated GIF."""

import io
import math
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from genlab.files import write_atomically

_MARGIN = 2
_FONT_SIZE = 16
_TARGET_WIDTH = 640
_MAX_FRAMES = 60
_LONGEST_NAME = 28


def to_image(picture: Tensor) -> Image.Image:
    """One picture uint8 (C, H, W) for Pillow, grey where C is 1."""
    array = picture.permute(1, 2, 0).numpy()
    return Image.fromarray(array[:, :, 0] if picture.shape[0] == 1 else array)


def grid(
    pictures: Tensor,
    columns: int | None = None,
    caption: str = "",
    apart: Collection[int] = (),
    margin: int = _MARGIN,
) -> Image.Image:
    """Pictures uint8 (N, C, H, W) in rows of `columns` (near square by default), enlarged.

    Small pictures are enlarged by a whole factor, pixel for pixel; the caption stands above.
    `margin` pixels of the pictures lie between them, a wider gap before the columns `apart`.
    """
    count, channels, height, width = pictures.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + margin, width + margin
    gap = math.ceil(width / 4)
    sheet = torch.full(
        (channels, rows * cell_height + margin, columns * cell_width + margin + gap * len(apart)),
        255,
        dtype=torch.uint8,
    )
    for index, picture in enumerate(pictures.cpu()):
        row, column = divmod(index, columns)
        top = row * cell_height + margin
        left = column * cell_width + margin + gap * sum(column >= place for place in apart)
        sheet[:, top : top + height, left : left + width] = picture
    image = to_image(sheet).convert("RGB")
    scale = max(1, round(_TARGET_WIDTH / image.width))
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    return with_caption(image, caption) if caption else image


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
    each = max(40, int(1000 * seconds / len(pictures)))
    durations = [each] * (len(pictures) - 1) + [1500]
    # The last frame's colours are those that the run arrives at.
    write_gif(pictures, path, durations, colours_of=pictures[-1])
    return pictures[-1].size


def write_gif(
    pictures: Sequence[Image.Image],
    path: Path,
    durations: int | Sequence[int],
    colours_of: Image.Image,
) -> None:
    """Write an endless GIF atomically into a folder that exists; durations in milliseconds.

    All frames share one palette, that of `colours_of`.
    """
    palette = colours_of.quantize()
    images = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
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


def shortened(name: str) -> str:
    """A name as captions and legends have room for it."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def with_caption(image: Image.Image, caption: str, centred: bool = False) -> Image.Image:
    """The picture with a caption above it, in as many lines as its width asks for."""
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
    """The grid with a caption to the left of each of its rows."""
    font = ImageFont.load_default(size=_FONT_SIZE)
    width = math.ceil(max(map(font.getlength, captions))) + 14
    sheet = Image.new("RGB", (image.width + width, image.height), "white")
    for number, caption in enumerate(captions):
        middle = (number + 0.5) * image.height / len(captions)
        ImageDraw.Draw(sheet).text((6, middle), caption, fill="black", font=font, anchor="lm")
    sheet.paste(image, (width, 0))
    return sheet


def with_column_captions(image: Image.Image, captions: Sequence[str]) -> Image.Image:
    """The grid of evenly wide columns with a caption above each of them, in lines as it needs."""
    width = image.width // len(captions)
    blank = Image.new("RGB", (width, 0))
    told = [with_caption(blank, caption, centred=True) for caption in captions]
    height = max(label.height for label in told)
    sheet = Image.new("RGB", (image.width, image.height + height), "white")
    for number, label in enumerate(told):
        sheet.paste(label, (number * width, height - label.height))
    sheet.paste(image, (0, height))
    return sheet


def with_both_captions(
    image: Image.Image, rows: Sequence[str], columns: Sequence[str]
) -> Image.Image:
    """The grid of evenly wide columns with captions beside its rows (none for []) and above."""
    named = with_row_captions(image, rows) if rows else image
    above = with_column_captions(Image.new("RGB", (image.width, 0)), columns)
    sheet = Image.new("RGB", (named.width, above.height + named.height), "white")
    sheet.paste(above, (named.width - image.width, 0))
    sheet.paste(named, (0, above.height))
    return sheet
