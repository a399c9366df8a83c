import logging
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from genlab.data import Folder, prepare
from genlab.errors import DataError


def folder(path, resolution=8, channels=3, strict=False, skip_unreadable=False, max_pixels=10**6):
    return Folder(str(path), resolution, channels, strict, skip_unreadable, max_pixels)


def save(file, mode="RGB", size=(8, 8), color=0, **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(file, **options)
    return file


def noise(file, shape=(8, 8, 3)):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    return pixels


def cut(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


def pixels_of(root, **settings):
    return prepare(folder(root, **settings), 1).images


def test_an_image_of_the_right_size_keeps_every_pixel(root):
    pixels = noise(root / "a.png")
    assert (pixels_of(root)[0] == pixels.transpose(2, 0, 1)).all()


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("LA", (0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb(root, mode, color, expected):
    save(root / "a.png", mode, color=color)
    assert pixels_of(root)[0, :, 3, 3].tolist() == list(expected)


def test_a_transparent_palette_is_laid_over_white(root):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30])
    image.save(root / "a.gif", transparency=0)
    assert (pixels_of(root) == 255).all()


def test_cmyk_becomes_rgb(root):
    save(root / "a.jpg", "CMYK", color=(0, 255, 255, 0), quality=100)
    red, green, blue = pixels_of(root)[0, :, 3, 3].astype(int)
    assert red > 200
    assert max(green, blue) < 60


def test_colour_becomes_grey(root):
    save(root / "a.png", color=(90, 90, 90))
    images = pixels_of(root, channels=1)
    assert images.shape == (1, 1, 8, 8)
    assert (images == 90).all()


def test_the_middle_square_is_kept(root):
    wide = Image.new("RGB", (24, 8), "red")
    wide.paste("blue", (8, 0, 16, 8))
    wide.save(root / "wide.png")
    wide.rotate(90, expand=True).save(root / "wide_upright.png")
    assert (pixels_of(root)[:, 2] == 255).all()
    assert (pixels_of(root)[:, 0] == 0).all()


@pytest.mark.parametrize("side", [5, 8, 31])
def test_any_size_is_resized(root, side):
    save(root / "a.bmp", size=(side, side), color=(1, 2, 3))
    assert pixels_of(root)[0, :, 4, 4].tolist() == [1, 2, 3]


def test_exif_orientation_is_applied(root):
    image = Image.new("RGB", (8, 8), "red")
    image.paste("blue", (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(root / "a.png", exif=exif)
    assert pixels_of(root)[0, :, 0, 0].tolist() == [255, 0, 0]


def test_subfolders_are_classes(root):
    for name in ("dog/2.png", "cat/1.PNG", "cat/deep/3.jpeg"):
        save(root / name)
    images = prepare(folder(root), 1)
    assert images.classes == {"label": ["cat", "dog"]}
    assert images.labels["label"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("names", [("a/1.png", "b/2.png", "3.png"), ("a/1.png", "a/2.png")])
def test_other_trees_have_no_labels(root, names):
    for name in names:
        save(root / name)
    assert prepare(folder(root), 1).labels == {}


def test_hidden_files_and_escaping_links_are_left_out(root, tmp_path):
    outside = save(tmp_path / "outside" / "a.png")
    save(root / "a.png")
    save(root / ".hidden.png")
    save(root / ".git" / "a.png")
    save(root / "__MACOSX" / "a.png")
    (root / "notes.txt").write_text("no image")
    (root / "link.png").symlink_to(outside)
    (root / "linked").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    (root / "inside.png").symlink_to(root / "a.png")
    assert [file.name for file in folder(root).files] == ["a.png", "inside.png"]


def test_missing_empty_and_no_folder(root, tmp_path):
    file = save(tmp_path / "a.png")
    for path, message in (
        (tmp_path / "nowhere", "does not exist"),
        (root, "holds no images"),
        (file, "is not a folder"),
    ):
        with pytest.raises(DataError, match=rf"data\.path=.*{path.name} {message}"):
            prepare(folder(path), 1)


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.webp", "cut.gif", "cut.bmp"])
def test_a_truncated_image_is_named_or_skipped(root, caplog, name):
    noise(root / "whole.png")
    noise(root / name, (64, 64, 3))
    cut(root / name)
    with pytest.raises(DataError, match=rf"{name} .*data\.skip_unreadable=true"):
        prepare(folder(root), 1)
    assert len(prepare(folder(root, skip_unreadable=True), 1)) == 1
    assert f"skipped 1 unreadable images: {name}" in caplog.text


def test_no_image_is_named_or_skipped(root):
    (root / "a.png").write_text("hello")
    with pytest.raises(DataError, match=r"a\.png"):
        prepare(folder(root), 1)
    with pytest.raises(DataError, match="none of 1 images can be read"):
        prepare(folder(root, skip_unreadable=True), 1)


def test_a_huge_header_is_refused_unread(root):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    idat = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    (root / "bomb.png").write_bytes(png + idat)
    with pytest.raises(DataError, match=r"bomb\.png .*60000 x 60000 .*data\.max_pixels=1000000"):
        prepare(folder(root), 1)


def test_strict_takes_only_what_fits(root):
    save(root / "a.png")
    assert len(prepare(folder(root, strict=True), 1)) == 1
    save(root / "b.png", size=(9, 8))
    with pytest.raises(DataError, match=r"b\.png is 9 x 8 RGB, not 8 x 8 RGB"):
        prepare(folder(root, strict=True), 1)


def test_conversions_are_counted_in_one_line(root, caplog):
    caplog.set_level(logging.INFO)
    save(root / "a.png")
    save(root / "b.png", size=(9, 8))
    save(root / "c.png", "L")
    prepare(folder(root), 1)
    assert "2 of 3 images are converted: turned upright" in caplog.text


def test_a_changed_file_is_prepared_again(root, cache):
    save(root / "a.png")
    assert (pixels_of(root) == 0).all()
    save(root / "a.png", color=(255, 255, 255))
    assert (pixels_of(root) == 255).all()
    assert len(list(cache.iterdir())) == 2


def test_float_pixels_are_refused(root):
    save(root / "a.tiff", "F")
    with pytest.raises(DataError, match=r"a\.tiff .*float"):
        prepare(folder(root), 1)


def test_links_that_lead_to_themselves_or_nowhere_are_passed_over(root):
    noise(root / "a.png")
    for name in ("loop.png", "nowhere.png"):
        (root / name).symlink_to(name if name == "loop.png" else "missing.png")
    assert len(pixels_of(root)) == 1
