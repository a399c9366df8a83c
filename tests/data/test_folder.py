import inspect
import logging
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.data import Domains, Folder, prepare
from genlab.data.listing import images_below
from genlab.errors import ConfigError, DataError


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
    assert folder(root).names == ["a.png", "inside.png"]


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
    assert f"skipped 1 unreadable image: {name}" in caplog.text


def test_no_image_is_named_or_skipped(root):
    (root / "a.png").write_text("hello")
    with pytest.raises(DataError, match=r"a\.png"):
        prepare(folder(root), 1)
    with pytest.raises(DataError, match="none of 1 image can be read"):
        prepare(folder(root, skip_unreadable=True), 1)


def test_empty_files_are_left_out_unless_strict(root, caplog):
    save(root / "a.png")
    (root / "b.png").touch()
    assert len(prepare(folder(root), 1)) == 1
    assert "skipped 1 unreadable image: b.png" in caplog.text
    with pytest.raises(DataError, match=r"b\.png cannot be used: it has no bytes"):
        prepare(folder(root, strict=True), 1)
    (root / "a.png").unlink()
    with pytest.raises(DataError, match="none of 1 image can be read"):
        prepare(folder(root), 1)


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


def test_images_are_known_by_their_content_whatever_they_are_called(root, caplog):
    caplog.set_level(logging.INFO)
    for name, kind in (("a.jfif", "JPEG"), ("b.JPE", "JPEG"), ("IMG_1", "JPEG"), ("c.dat", "PNG")):
        save(root / name, format=kind)
    for name in ("notes.txt", "photo.heic", "LICENSE"):
        (root / name).write_text("BM no image")
    assert len(prepare(folder(root), 1)) == 4
    assert caplog.text.count("left out 3 files") == 1
    assert "not images: LICENSE, notes.txt, photo.heic" in caplog.text


def test_links_that_lead_out_are_counted_among_what_is_left_out(root, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    save(root / "a.png")
    (root / "link.png").symlink_to(save(tmp_path / "outside" / "b.png"))
    os.mkfifo(root / "pipe.png")
    assert len(prepare(folder(root), 1)) == 1
    assert "left out 2 files" in caplog.text
    assert "not images: link.png, pipe.png" in caplog.text


def test_an_eps_is_refused_or_skipped(root):
    noise(root / "a.png")
    (root / "b.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n")
    with pytest.raises(DataError, match=r"b\.png cannot be used: not an image of a known format"):
        prepare(folder(root), 1)
    assert len(prepare(folder(root, skip_unreadable=True), 1)) == 1


def test_parts_of_a_set_are_no_classes(root, caplog):
    """Classes are the folders below, test images are last and of the test part."""
    caplog.set_level(logging.INFO)
    shades = {}
    for number, part in enumerate(("Train", "VAL", "test")):
        for shade, kind in enumerate(("cat", "dog")):
            color = 20 * (2 * number + shade) + 10
            save(root / part / kind / "deep" / "a.png", color=(color,) * 3)
            shades[part, kind] = color
    images = prepare(folder(root), 1)
    assert images.classes == {"label": ["cat", "dog"]}
    assert images.test_start == 4
    assert sorted(images.images[4:, 0, 0, 0]) == [shades["test", "cat"], shades["test", "dog"]]
    kinds = {int(shade): kind for (_, kind), shade in shades.items()}
    found = [images.classes["label"][label] for label in images.labels["label"]]
    assert found == [kinds[int(shade)] for shade in images.images[:, 0, 0, 0]]
    assert images.split("test", 0.2, 0).tolist() == [4, 5]
    assert "folders Train, VAL, test of" in caplog.text
    assert "test is its test part" in caplog.text


@pytest.mark.parametrize(
    ("names", "classes", "test_start"),
    [
        (["train/1.png", "train/2.png", "test/3.png"], [], 2),
        (["train/a/1.png", "train/b/2.png"], ["a", "b"], None),
        (["train/a/1.png", "valid/b/2.png", "validation/c/3.png"], ["a", "b", "c"], None),
        (["train/a/1.png", "test/2.png"], [], 1),
        (["train/1.png", "plane/2.png", "test/3.png"], ["plane", "test", "train"], None),
        (["val/a/1.png", "test/b/2.png"], ["test", "val"], None),
        (["train/a/1.png", "test/b/2.png", "3.png"], [], None),
    ],
)
def test_only_known_names_are_parts(root, names, classes, test_start):
    for name in names:
        save(root / name)
    images = prepare(folder(root), 1)
    assert images.classes.get("label", []) == classes
    assert images.test_start == test_start


def test_names_that_are_not_utf8_are_used_and_shown_escaped(root, caplog):
    """As from an old archive: caf\\xe9 in Latin-1."""
    for place in (b"caf\xe9/1.png", b"tea/2.png", b"tea/caf\xe9.png"):
        file = os.path.join(os.fsencode(root), place)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        Image.new("RGB", (8, 8)).save(os.fsdecode(file))
    images = prepare(folder(root), 1)
    assert images.classes == {"label": ["caf\\xe9", "tea"]}
    assert images.labels["label"].tolist() == [0, 1, 1]
    with open(os.path.join(os.fsencode(root), b"caf\xe9/3.png"), "wb") as file:
        file.write(b"no image")
    with pytest.raises(DataError) as error:
        prepare(folder(root), 1)
    assert "caf\\xe9/3.png cannot be used" in str(error.value).encode().decode()
    prepare(folder(root, skip_unreadable=True), 1)
    assert "skipped 1 unreadable image: caf\\xe9/3.png" in caplog.text


@pytest.mark.parametrize(("kind", "transparent"), [("turned", False), ("transparent", True)])
def test_strict_refuses_what_looks_as_if_it_fitted(root, kind, transparent):
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"transparency": (0, 0, 0)} if transparent else {"exif": exif}
    save(root / "a.png", **options)
    with pytest.raises(DataError, match=rf"a\.png is {kind} .*data\.strict=false"):
        prepare(folder(root, strict=True), 1)
    assert len(prepare(folder(root), 1)) == 1


def deep(root, name, highest):
    values = np.linspace(0, highest, 64).round().astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(root / name)


def test_twelve_bits_in_sixteen_are_said_and_can_be_set(root, caplog):
    deep(root, "a.png", 4000)
    deep(root, "b.png", 3000)
    dark = pixels_of(root, channels=1)
    assert dark.max() == 16
    assert "2 images of 16 bits are nearly black: no value is above 4000" in caplog.text
    assert "set data.white_level=4095" in caplog.text
    caplog.clear()
    light = prepare(Folder(str(root), 8, 1, False, False, 10**6, white_level=4095), 1).images
    assert light[:, 0, 7, 7].tolist() == [249, 187]
    deep(root, "c.png", 60000)
    assert pixels_of(root, channels=1)[2, 0, 7, 7] == 233
    assert "nearly black" not in caplog.text


@pytest.mark.parametrize("white_level", [0, 65536])
def test_white_is_a_value_of_sixteen_bits(root, white_level):
    with pytest.raises(ConfigError, match=f"data.white_level={white_level} must be from 1"):
        Folder(str(root), 8, 1, False, False, 10**6, white_level=white_level)


@pytest.mark.parametrize("rows", [1, 1000])
def test_test_parts_of_two_folders_are_last(tmp_path, monkeypatch, rows):
    """Of a first folder of 3 and 2 images and a second one of 4 and 1."""
    monkeypatch.setattr("genlab.data.domains._ROWS", rows)
    for shade, (name, count) in enumerate(
        [("one/train", 3), ("one/test", 2), ("two/train", 4), ("two/test", 1)]
    ):
        for number in range(count):
            color = (10 * shade + number,) * 3
            save(tmp_path / name / f"{number}.png", color=color)
    sources = [folder(tmp_path / name) for name in ("one", "two")]
    images = prepare(Domains(*sources, ["one", "two"], 8, 3), 1)
    assert images.test_start == 7
    assert images.images[:, 0, 0, 0].tolist() == [0, 1, 2, 20, 21, 22, 23, 10, 11, 30]
    assert images.labels["domain"].tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 1]


def test_where_one_folder_alone_has_a_test_part_all_is_trained_on(tmp_path):
    for name in ("one/train", "one/test", "two"):
        save(tmp_path / name / "a.png")
    images = prepare(
        Domains(folder(tmp_path / "one"), folder(tmp_path / "two"), ["a", "b"], 8, 3), 1
    )
    assert images.test_start is None
    assert images.labels["domain"].tolist() == [0, 0, 1]


def test_folders_may_lie_deep(tmp_path: Path) -> None:
    place = tmp_path.joinpath(*["d"] * 200)
    place.mkdir(parents=True)
    (place / "a.png").touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)  # thousands of folders take seconds
    try:
        found = images_below(tmp_path)
    finally:
        sys.setrecursionlimit(limit)
    assert [file.name for file in found.files] == ["a.png"]


def test_two_folders_are_called_as_they_are(tmp_path):
    for name in ("a/old photos", "a/new", "b/new"):
        save(tmp_path / name / "a.png")
    old, new, other = (folder(tmp_path / name) for name in ("a/old photos", "a/new", "b/new"))
    assert list(Domains(old, new, None, 8, 3).sources) == ["old_photos", "new"]
    assert list(Domains(new, other, None, 8, 3).sources) == ["first", "second"]
    assert list(Domains(old, new, ["x", "y"], 8, 3).sources) == ["x", "y"]
