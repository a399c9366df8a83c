"""How large files of pictures become, and that small ones stay as they are."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.drawing.image_grid import (
    bounded,
    fitting,
    grid,
    save_grid,
    save_png,
    thumbnail,
)


def noise(count: int, size: int, seed: int = 0) -> torch.Tensor:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3, size, size), np.uint8)
    return torch.from_numpy(pixels)


def test_the_usual_64_pictures_have_room_up_to_256_pixels() -> None:
    assert fitting(256, 256) == 64
    assert fitting(64, 64) > 64
    assert [fitting(size, size) for size in (512, 1024, 2048, 4096)] == [16, 4, 1, 1]


@pytest.mark.parametrize("size", [256, 1024, 3000])
def test_a_grid_of_any_resolution_is_a_file_below_11_megabytes(tmp_path: Path, size: int) -> None:
    image = bounded(grid(noise(fitting(size, size), size), caption="what nothing compresses"))
    content = save_grid(image, tmp_path / "grid")
    assert 2e6 < image.width * image.height < 4.8e6
    assert (tmp_path / "grid.jpg").read_bytes() == content
    assert len(content) < 11e6
    shown, (width, height) = thumbnail(image, content)
    assert width == 512
    assert len(shown) < 400_000
    assert Image.open(io.BytesIO(shown)).size == (width, height)


def test_a_large_grid_looks_as_its_images_do(tmp_path: Path) -> None:
    shades = torch.arange(0, 256, 16, dtype=torch.uint8)
    colours = torch.stack([shades, shades.flip(0), torch.full_like(shades, 40)], 1)
    image = grid(colours[:, :, None, None].expand(-1, -1, 512, 512))
    save_grid(image, tmp_path / "grid")
    with Image.open(tmp_path / "grid.jpg") as file:
        assert (file.format, file.size) == ("JPEG", image.size)
        away = np.asarray(file.convert("RGB"), float) - np.asarray(image, float)
    assert np.abs(away).max() < 30  # at the edges
    assert np.abs(away).mean() < 1


def test_a_grid_takes_the_place_of_one_in_the_other_format(tmp_path: Path) -> None:
    large, small = (grid(noise(1, size)) for size in (1200, 16))
    save_png(large, tmp_path / "grid.png")  # as earlier versions did
    save_grid(large, tmp_path / "grid")
    assert [path.name for path in tmp_path.iterdir()] == ["grid.jpg"]
    save_grid(small, tmp_path / "grid")
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


def test_small_grids_are_shown_as_they_are(tmp_path: Path) -> None:
    for size in (8, 64, 128):
        image = bounded(grid(noise(64, size), caption="samples"))
        content = save_grid(image, tmp_path / "grid")
        assert content == (tmp_path / "grid.png").read_bytes()
        assert thumbnail(image, content) == (content, image.size)
