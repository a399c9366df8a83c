"""JPEGs of several scans, as progressive ones are: what decoding takes, how many are too many."""

import re
from typing import Any

_MOST_SCANS = 100  # usual encoders write about 10
_MOST_SEGMENTS = 1000  # with the tables between them
_BLOCK = 2**16
_END, _SCAN = 0xD9, 0xDA
# Within pixels FF is followed by 00 or by a restart; FF FF is padding.
_MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])")


def coefficients(image: Any) -> int:
    """Bytes of a JPEG's coefficients where libjpeg holds all: with more scans than one."""
    if not image.tile:  # decoded already
        return 0
    layers: list[tuple[int, int, int, int]] = image.layer
    place = image.fp.tell()  # behind the first scan's header
    length = 6 + 2 * len(layers)
    image.fp.seek(max(place - length, 0))
    header = image.fp.read(3)
    image.fp.seek(place)
    if "progressive" not in image.info and header == bytes([0, length, len(layers)]):
        return 0
    shares = [across * down for _, across, down, _ in layers]
    most = max(layer[1] for layer in layers) * max(layer[2] for layer in layers)
    pixels: int = image.width * image.height
    return 2 * pixels * sum(shares) // max(most, 1)


def refuse_many_scans(image: Any) -> None:
    """Raise ValueError for a JPEG of more scans than 100: each may take as long as a whole image.

    The first image is read up to its end marker, whatever follows it.
    """
    if image.format not in ("JPEG", "MPO") or not coefficients(image):
        return
    file, start, scans = image.fp, image.fp.tell(), 1
    place = start
    try:
        for _ in range(_MOST_SEGMENTS):
            marker, place = _next_marker(file, place)
            if marker in (None, _END):
                return
            scans += marker == _SCAN
            if scans > _MOST_SCANS:
                raise ValueError(f"it has more than {_MOST_SCANS} scans")
            file.seek(place)
            place += int.from_bytes(file.read(2), "big")
        raise ValueError(f"it has more than {_MOST_SEGMENTS} segments between its scans")
    finally:
        file.seek(start)


def _next_marker(file: Any, place: int) -> tuple[int | None, int]:
    """The next marker from a place on, None where the file ends, and the place behind it."""
    file.seek(place)
    while len(block := file.read(_BLOCK)) > 1:
        if found := _MARKER.search(block):
            return found[1][0], place + found.end()
        place += len(block) - 1  # the last byte may begin a marker
        file.seek(place)
    return None, place
