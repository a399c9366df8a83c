"""Files of others: known formats only, within bounds, with the pixels that Pillow gives them."""

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from genlab.data.budget import Budget
from genlab.data.image_files import decoded_bytes, formats, looks_like_image, opened
from genlab.data.pixels import fit, whole
from genlab.errors import DataError


def noise(shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    high = np.iinfo(dtype).max + 1
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def flat_png(width: int, height: int, bits: int, colour: int, extra: bytes = b"") -> bytes:
    """A PNG of zeros: a thousandth of its pixels' bytes."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    row = bytes(1 + (width * channels * bits + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage\n"


@pytest.mark.parametrize(
    "content",
    [EPS, b"%PDF-1.4\n", b"\xd7\xcd\xc6\x9a" + bytes(40), b"P6 1 1 255 abc", b"<svg/>", b""],
    ids=["eps", "pdf", "wmf", "ppm", "svg", "empty"],
)
def test_other_formats_are_refused_whatever_they_are_called(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    assert not looks_like_image(file)
    told = "not an image of a known format" if content else "it has no bytes"
    with pytest.raises(DataError, match=told), opened(file, "fix it"):
        pass


def test_no_program_is_started_for_an_eps(tmp_path: Path, monkeypatch) -> None:
    """Pillow itself would look for Ghostscript."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "a.png").write_bytes(EPS)
    with pytest.raises(DataError), opened(tmp_path / "a.png", "") as image:
        image.load()
    assert not (tmp_path / "started").exists()


def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "endless.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "endless.png"):
        assert not looks_like_image(tmp_path / name)
        with pytest.raises(DataError, match="not a regular file"), opened(tmp_path / name, ""):
            pass


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_known_formats_are_known_by_what_is_in_them(tmp_path: Path, kind: str) -> None:
    if kind not in formats():
        pytest.skip(f"this Pillow has no {kind}")
    Image.fromarray(noise((9, 9, 3))).save(tmp_path / "a", format=kind)
    assert looks_like_image(tmp_path / "a")
    with opened(tmp_path / "a", "") as image:
        assert image.format == kind


def as_before(image: Image.Image, resolution: int | None, mode: str) -> np.ndarray:
    """The plain way over copies of the whole image."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = Image.fromarray(((np.asarray(image).astype(int) + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert(mode)
    if resolution is None:
        return np.asarray(image)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    filtering = Image.Resampling.LANCZOS if side > resolution else Image.Resampling.BICUBIC
    return np.asarray(image.resize((resolution, resolution), filtering))


KINDS = {
    "L": lambda: Image.fromarray(noise((37, 52))),
    "LA": lambda: Image.fromarray(noise((37, 52, 2))),
    "RGB": lambda: Image.fromarray(noise((37, 52, 3))),
    "RGBA": lambda: Image.fromarray(noise((37, 52, 4))),
    "I;16": lambda: Image.fromarray(noise((37, 52), np.uint16)),
    "P": lambda: Image.fromarray(noise((37, 52, 3))).quantize(40),
    "1": lambda: Image.fromarray(noise((37, 52))).convert("1"),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", list(KINDS))
def test_strips_give_the_pixels_of_the_whole(
    tmp_path: Path, monkeypatch, mode: str, orientation: int
) -> None:
    """Of every mode, turned in every way, reduced, enlarged and as it is."""
    monkeypatch.setattr("genlab.data.pixels._STRIP", 300)
    exif = Image.Exif()
    exif[0x0112] = orientation
    KINDS[mode]().save(tmp_path / "a.png", exif=exif)
    for channels, target in ((1, "L"), (3, "RGB")):
        for resolution in (16, 37, 60, None):
            with Image.open(tmp_path / "a.png") as image:
                wanted = as_before(image, resolution, target)
            with opened(tmp_path / "a.png", "") as image:
                if resolution is None:
                    made = whole(image, channels)
                else:
                    made = fit(image, resolution, channels).pixels
            assert np.array_equal(made.transpose(1, 2, 0).squeeze(), wanted.squeeze())


def test_a_large_jpeg_is_reduced_while_it_is_decoded(tmp_path: Path, monkeypatch) -> None:
    """By a power of two that leaves twice the pixels, with nearly the same result."""
    smooth = Image.fromarray(noise((9, 12, 3))).resize((640, 480), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "a.jpg", quality=95)
    with opened(tmp_path / "a.jpg", "") as image:
        wanted = fit(image, 32, 3).pixels.astype(int)
        assert image.size == (640, 480)
    monkeypatch.setattr("genlab.data.pixels._DRAFTED", 1000)
    with opened(tmp_path / "a.jpg", "") as image:
        made = fit(image, 32, 3).pixels.astype(int)
        assert image.size == (160, 120)
    assert np.abs(made - wanted).max() <= 3


def test_white_of_sixteen_bits_can_be_lower(tmp_path: Path) -> None:
    values = np.array([[0, 2048], [4095, 5000]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    with opened(tmp_path / "a.png", "") as image:
        made = fit(image, 2, 1, white_level=4095)
    assert made.pixels.tolist() == [[[0, 128], [255, 255]]]
    assert made.deepest == 5000


PEAK = """
import sys
from pathlib import Path
from genlab.data import Folder
import numpy as np
def peak(): return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
folder = Folder(sys.argv[1], 32, 3, False, False, 100_000_000)
before = peak()
images = np.zeros((len(folder.names), 3, 32, 32), np.uint8)
try:
    folder.usable; folder.write(images[: len(folder.usable)], lambda n: None)
except Exception as error:
    print(type(error).__name__, error, file=sys.stderr)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_small_files_of_many_pixels_take_no_copies(tmp_path: Path) -> None:
    """98 million bytes of one bit each, 64 and 32 of the others, all at once, and little more."""
    for name, size, bits, colour in (("a", 9900, 1, 0), ("b", 4000, 8, 6), ("c", 4000, 16, 0)):
        content = flat_png(size, size, bits, colour)
        assert len(content) < 100_000
        (tmp_path / f"{name}.png").write_bytes(content)
    told = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "Error" not in told.stderr
    assert float(told.stdout) < 250


def test_decoders_that_need_more_may_see_fewer_pixels(tmp_path: Path) -> None:
    """A WEBP takes 18 bytes a pixel where a PNG takes 4."""
    image = Image.new("RGB", (100, 100))
    image.save(tmp_path / "a.webp")
    image.save(tmp_path / "a.png")
    with opened(tmp_path / "a.png", "", max_pixels=10_000) as png:
        assert decoded_bytes(png) == 40_000
    refused = pytest.raises(DataError, match=r"100 x 100 pixels of WEBP take .* to decode")
    with refused, opened(tmp_path / "a.webp", "", max_pixels=10_000):
        pass


def test_coefficients_of_all_scans_count(tmp_path: Path) -> None:
    """2 bytes for each: of three layers in full, or of one in full and two of a quarter."""
    image = Image.new("RGB", (64, 64))
    found = {}
    for scans in (False, True):
        for sampling in (0, 2):
            image.save(tmp_path / "a.jpg", progressive=scans, subsampling=sampling)
            with opened(tmp_path / "a.jpg", "") as jpeg:
                found[scans, sampling] = decoded_bytes(jpeg) / 64**2
                jpeg.load()
    assert found == {(False, 0): 4, (False, 2): 4, (True, 0): 4 + 6, (True, 2): 4 + 3}


def test_headers_are_bounded(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("much", "a" * 10_000_000, zip=True)
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000)))
    junk = chunk(b"prVt", bytes(20_000_000))
    pixels = Image.new("L", (4, 4))
    pixels.save(tmp_path / "text.png", pnginfo=text)
    for name, extra in (("profile", profile), ("junk", junk)):
        (tmp_path / f"{name}.png").write_bytes(flat_png(4, 4, 8, 0, extra))
    tail = flat_png(4, 4, 8, 0)[:-12] + junk + chunk(b"IEND", b"")
    (tmp_path / "tail.png").write_bytes(tail)
    for name in ("text", "profile", "junk", "tail"):
        with pytest.raises(DataError), opened(tmp_path / f"{name}.png", "") as image:
            image.load()


@pytest.mark.parametrize("big", [False, True])
def test_a_million_strips_are_refused(tmp_path: Path, big: bool) -> None:
    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, format="TIFF", big_tiff=big)
    content = bytearray(buffer.getvalue())
    where = content.index(struct.pack("<H", 273), 8)
    struct.pack_into("<Q" if big else "<I", content, where + 4, 2**24)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(DataError, match="16777216 strips"), opened(tmp_path / "a.tif", ""):
        pass


def test_threads_share_the_budget() -> None:
    """Never more than the budget at once; one that is larger than all of it works alone."""
    budget, lock, used, most = Budget(10), threading.Lock(), [], []

    def work(wanted: int) -> None:
        with budget.held(wanted):
            with lock:
                used.append(wanted)
                most.append(sum(used))
            threading.Event().wait(0.002)
            with lock:
                used.remove(wanted)

    threads = [threading.Thread(target=work, args=[n]) for n in [3, 4, 5, 25, 2, 6] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not used
    assert sorted({total for total in most if total > 10}) == [25]


def progressive(scans: int) -> bytes:
    """A progressive JPEG whose last scan is there so often more."""
    file = io.BytesIO()
    Image.fromarray(noise((64, 64, 3))).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + content[-2:]


def test_scans_of_a_jpeg_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "many.jpg"
    path.write_bytes(progressive(4000))
    refused = pytest.raises(DataError, match=r"many.jpg cannot be used: it has more than 100 scans")
    with refused, opened(path, "remove it"):
        pass
    # What follows the image, such as the film of a phone, has no scans.
    path.write_bytes(progressive(0) + b"\xff\xda\0\2" * 500)
    with opened(path, "remove it") as image:
        image.load()
