"""What a model makes is put into images as their files hold them; masks say where."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.commands.inpaint import _holes, _masks
from genlab.commands.originals import has_colour, loses_bits, original, pasted
from genlab.commands.upscale import _apart
from genlab.drawing.image_grid import save_png
from genlab.errors import DataError

SIZE = (9, 7)


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def image_of(kind: str) -> Image.Image:
    height, width = SIZE
    shapes = {"L": [], "LA": [2], "RGB": [3], "RGBA": [4]}
    if kind in shapes:
        return Image.fromarray(noise(height, width, *shapes[kind]))
    if kind == "I;16":
        return Image.fromarray(noise(height, width, dtype=np.uint16))
    image = Image.fromarray(noise(height, width, 3)).quantize(7)
    if kind == "transparent palette":
        image.info["transparency"] = 3
    return image


@pytest.fixture
def holes() -> torch.Tensor:
    found = torch.zeros(SIZE, dtype=torch.uint8)
    found[2:5, 3:6] = 1
    return found


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "kind", ["L", "LA", "RGB", "RGBA", "I;16", "palette", "transparent palette"]
)
def test_all_but_the_holes_stay(tmp_path: Path, holes, kind: str, channels: int) -> None:
    """Colours, transparency and 16 bits of a file, as another program reads them."""
    file, out = tmp_path / "a.png", tmp_path / "b.png"
    image_of(kind).save(file)
    made = torch.full((channels, *SIZE), 77, dtype=torch.uint8)
    save_png(pasted(original(file), made, holes), out)
    with Image.open(file) as before, Image.open(out) as after:
        assert after.size == before.size
        if kind == "I;16":
            assert after.mode == "I;16"
            pixels, wanted, filling = np.asarray(after), np.asarray(before), 77 * 257
        else:
            if "palette" not in kind:
                assert after.mode == before.mode
            pixels, wanted = np.asarray(after.convert("RGBA")), np.asarray(before.convert("RGBA"))
            filling = [77, 77, 77, 255]
    inside = holes.numpy() > 0
    assert np.array_equal(pixels[~inside], wanted[~inside])
    assert (pixels[inside] == filling).all()


def test_a_turned_image_is_kept_upright(tmp_path: Path, holes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = noise(SIZE[1], SIZE[0], 3)
    Image.fromarray(turned).save(tmp_path / "a.png", exif=exif)
    made = torch.zeros(3, *SIZE, dtype=torch.uint8)
    save_png(pasted(original(tmp_path / "a.png"), made, holes), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.getexif().get(0x0112, 1) == 1
        pixels = np.asarray(image)
    wanted = np.rot90(turned, -1)
    assert np.array_equal(pixels[holes.numpy() == 0], wanted[holes.numpy() == 0])


def test_a_colour_profile_is_kept(tmp_path: Path, holes) -> None:
    Image.fromarray(noise(*SIZE, 3)).save(tmp_path / "a.png", icc_profile=b"a profile of colours")
    made = torch.zeros(3, *SIZE, dtype=torch.uint8)
    save_png(pasted(original(tmp_path / "a.png"), made, holes), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == b"a profile of colours"


def test_twelve_bits_are_filled_to_their_own_white(tmp_path: Path, holes) -> None:
    Image.fromarray(noise(*SIZE, dtype=np.uint16) >> 4).save(tmp_path / "a.png")
    made = torch.full((1, *SIZE), 255, dtype=torch.uint8)
    filled = np.asarray(pasted(original(tmp_path / "a.png"), made, holes, 4095))
    assert (filled[2:5, 3:6] == 4095).all()


def test_colour_is_known() -> None:
    assert has_colour(image_of("RGB"))
    assert not has_colour(image_of("L").convert("RGB"))
    assert not has_colour(image_of("LA"))


def test_transparency_is_no_colour_for_a_network(tmp_path: Path) -> None:
    """Colours as stored: laid over white, edges would be pale."""
    image_of("RGBA").save(tmp_path / "a.png")
    image, colours = _apart(tmp_path / "a.png", 3, 65535)
    assert image.mode == "RGBA"
    assert np.array_equal(colours.permute(1, 2, 0), noise(*SIZE, 4)[:, :, :3])


def test_floats_are_refused(tmp_path: Path) -> None:
    Image.new("F", (3, 3)).save(tmp_path / "a.tiff")
    with pytest.raises(DataError, match="float"):
        original(tmp_path / "a.tiff")


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """photos/a/1.jpg and photos/b/1.jpg with masks/a/1.png and masks/b/1.bmp."""
    for name in ("photos/a/1.jpg", "photos/b/1.jpg", "masks/a/1.png", "masks/b/1.bmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), 255).save(tmp_path / name)
    return tmp_path


def matched(places: Path, images: object, mask: object) -> dict[str, str]:
    from genlab.commands.inputs import listed

    found = _masks(listed(images, "image"), images, mask)
    return {
        image.relative_to(places).as_posix(): path.relative_to(places).as_posix()
        for image, path in found.items()
    }


def test_masks_belong_to_images_of_their_place(places: Path) -> None:
    photos, masks = str(places / "photos"), str(places / "masks")
    assert matched(places, photos, masks) == {
        "photos/a/1.jpg": "masks/a/1.png",
        "photos/b/1.jpg": "masks/b/1.bmp",
    }
    assert matched(places, f"{photos}/a/1.jpg", f"{masks}/a") == {"photos/a/1.jpg": "masks/a/1.png"}


def test_one_mask_serves_all_only_where_it_is_named(places: Path) -> None:
    photos, mask = str(places / "photos"), str(places / "masks" / "a" / "1.png")
    assert set(matched(places, photos, mask).values()) == {"masks/a/1.png"}
    assert set(matched(places, photos, [mask]).values()) == {"masks/a/1.png"}
    with pytest.raises(DataError, match=r"has no masks of these names: a/1, b/1: add them"):
        matched(places, photos, str(places / "masks" / "a"))


def test_missing_and_unused_masks_are_named(places: Path, caplog) -> None:
    photos, masks = str(places / "photos"), str(places / "masks")
    Image.new("L", (4, 4), 255).save(places / "masks" / "c.png")
    matched(places, photos, masks)
    assert f"masks without an image: {masks}/c.png" in caplog.text
    (places / "masks" / "b" / "1.bmp").unlink()
    with pytest.raises(DataError, match=r"has no masks of these names: b/1: add"):
        matched(places, photos, masks)


def test_two_masks_of_one_name_are_refused(places: Path) -> None:
    Image.new("L", (4, 4), 255).save(places / "masks" / "a" / "1.bmp")
    with pytest.raises(DataError, match=r"1\.bmp and .*1\.png have the same name: remove one"):
        matched(places, str(places / "photos"), str(places / "masks"))


def test_holes_are_where_a_mask_is_light(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 127], [128, 255]], np.uint8)).save(tmp_path / "mask.png")
    assert _holes(tmp_path / "mask.png", torch.Size([2, 2])).tolist() == [[0, 0], [1, 1]]


def test_transparent_masks_are_refused(tmp_path: Path) -> None:
    mask = Image.new("RGBA", (2, 2), "white")
    mask.save(tmp_path / "opaque.png")
    assert _holes(tmp_path / "opaque.png", torch.Size([2, 2])).all()
    mask.putpixel((0, 0), (255, 255, 255, 0))
    mask.save(tmp_path / "clear.png")
    with pytest.raises(DataError, match=r"clear\.png is partly transparent"):
        _holes(tmp_path / "clear.png", torch.Size([2, 2]))


def chunk(kind: bytes, content: bytes) -> bytes:
    ends = struct.pack(">I", len(content)), struct.pack(">I", zlib.crc32(kind + content))
    return ends[0] + kind + content + ends[1]


@pytest.mark.parametrize(
    ("bits", "colour", "channels", "loses"),
    [(16, 2, 3, True), (16, 6, 4, True), (16, 4, 2, True), (16, 0, 1, False), (8, 2, 3, False)],
)
def test_colours_of_sixteen_bits_are_known(
    tmp_path: Path, bits: int, colour: int, channels: int, loses: bool
) -> None:
    pixels = zlib.compress((b"\0" + bytes(4 * channels * bits // 8)) * 4)
    size = struct.pack(">IIBBBBB", 4, 4, bits, colour, 0, 0, 0)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    assert loses_bits(tmp_path / "a.png") == loses
    original(tmp_path / "a.png")
