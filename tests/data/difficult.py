"""A folder of images that other programs stumble over, in two classes, and what its labels say."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("cats", "dögs")
UNREADABLE = ("cut.jpg", "zero.png")
PER_CLASS = 28


def difficult(root: Path) -> Path:
    """PER_CLASS readable images and two unreadable ones for each of the classes."""
    random = np.random.default_rng(0)

    def noise(*shape: int, kind: type = np.uint8) -> np.ndarray:
        return random.integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)

    def save(name: str, image: Image.Image, **options: Any) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(root / name, **options)

    for kind in CLASSES:
        for number in range(4):
            save(f"{kind}/{number}.png", Image.fromarray(noise(20 + number, 30 - number, 3)))
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            turned = Image.fromarray(noise(24, 48, 3))
            save(f"{kind}/turned {orientation}.jpg", turned, exif=exif)
        frames = [Image.fromarray(noise(24, 24, 3)) for _ in range(3)]
        palette = Image.fromarray(noise(24, 24, 3)).convert("P")
        save(f"{kind}/rgba.png", Image.fromarray(noise(24, 24, 4)))
        save(f"{kind}/grey and alpha.png", Image.fromarray(noise(24, 24, 2)))
        save(f"{kind}/palette.png", palette)
        save(f"{kind}/palette.gif", palette, transparency=3)
        save(f"{kind}/cmyk.jpg", Image.fromarray(noise(40, 24, 3)).convert("CMYK"))
        save(f"{kind}/deep.png", Image.fromarray(noise(24, 24, kind=np.uint16)))
        save(f"{kind}/deep.tif", Image.fromarray(noise(24, 24, kind=np.uint16)))
        save(f"{kind}/animated.gif", frames[0], save_all=True, append_images=frames[1:])
        save(f"{kind}/animated.webp", frames[0], save_all=True, append_images=frames[1:])
        save(f"{kind}/no jpeg.jpg", frames[0], format="PNG")
        save(f"{kind}/日本 grüße \U0001f600.webp", frames[0], lossless=True)
        save(f"{kind}/progressive.jpg", Image.fromarray(noise(64, 64, 3)), progressive=True)
        save(f"{kind}/lzw.tif", Image.fromarray(noise(64, 64, 3)), compression="tiff_lzw")
        save(f"{kind}/tiny.bmp", Image.fromarray(noise(1, 2, 3)))
        save(f"{kind}/a.b.png", frames[1])
        save(f"{kind}/no suffix", frames[2], format="PNG")
        whole = (root / kind / "progressive.jpg").read_bytes()
        (root / kind / "cut.jpg").write_bytes(whole[: len(whole) // 3])
        (root / kind / "zero.png").write_bytes(b"")
        (root / kind / "notes.txt").write_text("no image")
    return root


def zipped(folder: Path, file: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of all that is in a folder."""
    with zipfile.ZipFile(file, "w", method) as archive:
        for each in sorted(folder.rglob("*"), reverse=True):
            archive.write(each, each.relative_to(folder))
    return file


def tarred(folder: Path, file: Path, mode: str = "w") -> Path:
    """A tar of all that is in a folder; mode is that of tarfile.open, as "w:gz"."""
    import tarfile

    with tarfile.open(str(file), mode) as archive:  # type: ignore[call-overload]
        for each in sorted(folder.rglob("*"), reverse=True):
            archive.add(each, each.relative_to(folder), recursive=False)
    return file
