"""How large files of pictures become, and that small ones stay as they are."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.drawing.pictures import bounded, fitting, grid, save_gif, save_png, thumbnail, to_image


def noise(count: int, size: int, seed: int = 0) -> torch.Tensor:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3, size, size), np.uint8)
    return torch.from_numpy(pixels)


def test_the_usual_64_pictures_have_room_up_to_256_pixels() -> None:
    assert fitting(256, 256) == 64
    assert fitting(64, 64) > 64
    assert [fitting(size, size) for size in (512, 1024, 2048, 4096)] == [16, 4, 1, 1]


@pytest.mark.parametrize("size", [256, 1024, 3000])
def test_a_grid_of_any_resolution_is_a_file_below_20_megabytes(tmp_path: Path, size: int) -> None:
    image = bounded(grid(noise(fitting(size, size), size), caption="what nothing compresses"))
    content = save_png(image, tmp_path / "grid.png")
    assert 2e6 < image.width * image.height < 4.8e6
    assert len(content) < 20e6
    shown, (width, height) = thumbnail(image, content)
    assert width == 512
    assert len(shown) < 400_000
    assert Image.open(io.BytesIO(shown)).size == (width, height)


def test_small_grids_are_shown_as_they_are(tmp_path: Path) -> None:
    for size in (8, 64, 128):
        image = bounded(grid(noise(64, size), caption="samples"))
        content = save_png(image, tmp_path / "grid.png")
        assert thumbnail(image, content) == (content, image.size)


def test_an_animation_of_small_grids_shows_each_pixel(tmp_path: Path) -> None:
    frames = [tmp_path / f"{i}.png" for i in range(3)]
    images = [grid(noise(4, 16, seed)) for seed in range(3)]
    for image, frame in zip(images, frames, strict=True):
        save_png(image, frame)
    assert save_gif(frames, tmp_path / "a.gif") == images[0].size
    palette = images[-1].quantize()
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3
        for number, image in enumerate(images):
            gif.seek(number)
            expected = image.quantize(palette=palette, dither=Image.Dither.NONE)
            assert gif.convert("RGB").tobytes() == expected.convert("RGB").tobytes()


def test_an_animation_of_large_grids_is_small(tmp_path: Path) -> None:
    frames = [tmp_path / f"{i}.png" for i in range(3)]
    for seed, (frame, size) in enumerate(zip(frames, (100, 1500, 1500), strict=True)):
        save_png(to_image(noise(1, size, seed)[0]), frame)
    assert save_gif(frames, tmp_path / "a.gif") == (512, 512)
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.size) == (3, (512, 512))
