"""Animations of grids: their pixels, their size and the memory that they take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from genlab.drawing.animations import save_gif
from genlab.drawing.image_grid import grid, save_grid, save_png, to_image


def noise(count: int, size: int, seed: int = 0) -> torch.Tensor:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3, size, size), np.uint8)
    return torch.from_numpy(pixels)


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
    frames = [tmp_path / name for name in ("0.png", "1.jpg", "2.jpg")]
    for seed, (frame, size) in enumerate(zip(frames, (100, 1500, 1500), strict=True)):
        save_grid(to_image(noise(1, size, seed)[0]), frame.with_suffix(""))
    assert save_gif(frames, tmp_path / "a.gif") == (512, 512)
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.size) == (3, (512, 512))


def test_the_largest_animation_takes_less_than_500_megabytes(tmp_path: Path) -> None:
    """Noise, which nothing compresses, in the largest grids that are not made smaller for it."""
    script = f"""
import resource
from pathlib import Path

import numpy as np
import torch

from genlab.drawing.animations import save_gif
from genlab.drawing.image_grid import save_grid, to_image

folder = Path({str(tmp_path)!r})
for seed in range(60):
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 1095, 1095), np.uint8)
    save_grid(to_image(torch.from_numpy(pixels)), folder / f"{{seed:02}}")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
save_gif(sorted(folder.glob("*.png")), folder / "a.gif")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 500 * 1024  # KiB
    with Image.open(tmp_path / "a.gif") as gif:
        assert (gif.n_frames, gif.size) == (60, (1095, 1095))
