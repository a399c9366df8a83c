"""Images in zips and tars are those of the folder that was packed, and nothing is unpacked."""

import gzip
import io
import json
import logging
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from difficult import CLASSES, PER_CLASS, difficult, tarred, zipped
from PIL import Image

from genlab.data import Archive, Folder, ImageSet, prepare
from genlab.data.containers import tars
from genlab.errors import DataError, DataMissing


def of(path: Path, kind: type = Folder, skip: bool = False, **others: int) -> Folder | Archive:
    settings = {"resolution": 8, "channels": 3, "max_pixels": 10**6} | others
    return kind(str(path), strict=False, skip_unreadable=skip, **settings)


def png(shade: int, size: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), (shade, shade, shade)).save(file, "PNG")
    return file.getvalue()


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


MAKERS = {"a.zip": make_zip, "a.tar": make_tar}


def shades(images: ImageSet) -> list[int]:
    return images.images[:, 0, 0, 0].tolist()


def named(images: ImageSet, label: str = "label") -> list[str]:
    return [images.classes[label][number] for number in images.labels[label]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return difficult(tmp_path_factory.mktemp("difficult") / "images")


PACKED: dict[str, Callable[[Path, Path], Path]] = {
    "deflated.zip": zipped,
    "stored.zip": lambda folder, file: zipped(folder, file, zipfile.ZIP_STORED),
    "plain.tar": tarred,
    "gzip.tar.gz": lambda folder, file: tarred(folder, file, "w:gz"),
    "xz.tar.xz": lambda folder, file: tarred(folder, file, "w:xz"),
    "no suffix": lambda folder, file: tarred(folder, file, "w:bz2"),
}


@pytest.mark.parametrize("name", PACKED)
def test_archives_of_difficult_files_are_what_their_folder_is(
    folder: Path, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    packed = PACKED[name](folder, tmp_path / name)
    wanted = prepare(of(folder, skip=True), 1)
    assert len(wanted) == 2 * PER_CLASS
    caplog.clear()
    images = prepare(of(packed, skip=True), 1)
    assert np.array_equal(images.images, wanted.images)
    assert images.classes == wanted.classes == {"label": list(CLASSES)}
    assert np.array_equal(images.labels["label"], wanted.labels["label"])
    assert "skipped 4 unreadable images: cats/cut.jpg, cats/zero.png, dögs/cut.jpg" in caplog.text
    assert sorted(os.listdir(tmp_path)) == sorted(["cache", name])
    assert images.about == f"{2 * PER_CLASS} images of the archive {name}"


def test_both_pages_share_one_prepared_set(tmp_path: Path, cache: Path) -> None:
    packed = make_zip(tmp_path / "a.zip", {"1.png": png(3)})
    prepare(of(packed), 1)
    prepare(of(packed, Archive), 1)
    assert len([entry for entry in cache.iterdir() if entry.name[0] != "."]) == 1


def test_a_damaged_member_is_named(folder: Path, tmp_path: Path) -> None:
    packed = zipped(folder, tmp_path / "a.zip")
    with pytest.raises(DataError, match=r"a\.zip: .*(cut\.jpg|zero\.png) cannot be used"):
        prepare(of(packed), 1)


@pytest.mark.parametrize("file", MAKERS)
def test_parts_and_later_members_of_a_name(tmp_path: Path, file: str) -> None:
    """Of two members of one name the last counts, as where an archive is unpacked."""
    members = {"train/b/1.png": png(10), "train/a/1.png": png(20), "test/a/1.png": png(30)}
    packed = MAKERS[file](tmp_path / file, members)
    if file == "a.tar":
        with tarfile.open(packed, "a") as archive:
            info = tarfile.TarInfo("./train/a//1.png")
            info.size = len(png(40))
            archive.addfile(info, io.BytesIO(png(40)))
        members["train/a/1.png"] = png(40)
    images = prepare(of(packed), 1)
    assert shades(images) == [40 if file == "a.tar" else 20, 10, 30]
    assert named(images) == ["a", "b", "a"]
    assert images.test_start == 2


@pytest.mark.parametrize("file", MAKERS)
def test_a_folder_that_was_packed_by_its_name(tmp_path: Path, file: str) -> None:
    """zip -r photos.zip photos: classes are the folders below."""
    members = {f"my/photos/{kind}/1.png": png(n) for n, kind in enumerate(("cat", "dog"))}
    made = of(MAKERS[file](tmp_path / file, members | {"my/README.md": b"x"}))
    assert named(prepare(made, 1)) == ["cat", "dog"]
    assert made.names == ["cat/1.png", "dog/1.png"]
    assert made.container.whereabouts(0) == f"{tmp_path / file}: my/photos/cat/1.png"


@pytest.mark.parametrize("file", MAKERS)
def test_what_leads_out_is_left_out(
    tmp_path: Path, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(png(99))
    members = {name: png(50) for name in ("/abs.png", "../up.png", "a/../../up.png", "C:\\x.png")}
    packed = MAKERS[file](tmp_path / file, {"good.png": png(7), ".hidden.png": png(8), **members})
    if file == "a.zip":
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        with zipfile.ZipFile(packed, "a") as archive:
            archive.writestr(link, str(outside))
    else:
        with tarfile.open(packed, "a") as archive:
            for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
                info = tarfile.TarInfo("link.png")
                info.type, info.linkname = kind, str(outside)
                archive.addfile(info)
    images = prepare(of(packed), 1)
    assert shades(images) == [7]
    refused = 5 if file == "a.zip" else 8
    assert f"left out {refused} members of {packed} that are links, encrypted" in caplog.text
    assert "/abs.png, ../up.png" in caplog.text


def test_other_packings_and_encrypted_members_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    packed = make_zip(tmp_path / "a.zip", {"a.png": png(1), "b.png": png(2)})
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("c.png", png(3))
    content = bytearray(packed.read_bytes())
    struct.pack_into("<H", content, content.rindex(b"PK\1\2", 0, content.rindex(b"b.png")) + 8, 1)
    packed.write_bytes(content)
    assert shades(prepare(of(packed), 1)) == [1]
    assert "left out 2 members" in caplog.text


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """As of the zip bomb of D. Fifield, whose members share one kernel."""
    packed = make_zip(tmp_path / "a.zip", {"a.png": png(1), "b.png": png(2)})
    content = bytearray(packed.read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\1\2") + 42, 0)  # b begins where a does
    packed.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip: not readable .*overlap.*decompression bombs"):
        prepare(of(packed), 1)


def test_a_member_of_many_bytes_is_refused_unread(tmp_path: Path) -> None:
    """10 million zeros are 10 kB as a deflated member; 5 bytes for each of 1000 pixels may be."""
    packed = make_zip(tmp_path / "a.zip", {"a.bmp": bytes(10**7)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"a\.bmp cannot be used: its 9 MiB .*data\.max_pixels"):
        prepare(of(packed, max_pixels=1000), 1)


def test_a_table_that_lies_about_sizes_is_noticed(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "a.zip", {"a.png": png(1)}, zipfile.ZIP_DEFLATED)
    content = bytearray(packed.read_bytes())
    place = content.rindex(b"PK\1\2") + 24
    struct.pack_into("<I", content, place, struct.unpack_from("<I", content, place)[0] - 5)
    packed.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png cannot be used: it does not match its checksum"):
        prepare(of(packed), 1)


def test_an_archive_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tars, "_SLACK", 2**20)
    packed = make_tar(tmp_path / "a.tar", {"a.bmp": bytes(2**27), "b.png": png(1)})
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(packed.read_bytes()))
    with pytest.raises(DataError, match=r"b\.tar\.gz: not readable .*decompression bombs"):
        prepare(of(tmp_path / "b.tar.gz"), 1)


def test_a_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**31
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(DataError, match=r"a header in it claims 2,048 MiB"):
        prepare(of(tmp_path / "a.tar"), 1)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_cut_archives_are_refused(tmp_path: Path, name: str) -> None:
    members = {f"{number}.png": os.urandom(3000) for number in range(10)}
    if name == "a.zip":
        packed = make_zip(tmp_path / name, members)
    else:
        packed = make_tar(tmp_path / name, members, "w:gz" if name.endswith("gz") else "w")
    content = packed.read_bytes()
    packed.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"data\.path=.*{name}: not readable as a zip or tar"):
        prepare(of(packed), 1)


def test_a_tar_that_is_damaged_in_its_middle_is_refused(tmp_path: Path) -> None:
    """tarfile would end there without a word."""
    packed = make_tar(tmp_path / "a.tar", {"a.png": png(1), "b.png": png(2), "c.png": png(3)})
    content = bytearray(packed.read_bytes())
    place = content.index(b"b.png")
    content[place : place + 100] = bytes(range(100))
    packed.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar: not readable .*damaged after 1,024 bytes"):
        prepare(of(packed), 1)


def test_styleganzip_labels_come_from_its_list(tmp_path: Path) -> None:
    """Its folders are no classes, and an image that the list does not have is unknown."""
    names = [f"0000{n // 2}/img{n:08}.png" for n in range(4)]
    labels = {"labels": [[name, number] for name, number in zip(names, (7, 3, 7), strict=False)]}
    members = {name: png(10 * number) for number, name in enumerate(names)}
    packed = make_zip(tmp_path / "a.zip", {**members, "dataset.json": json.dumps(labels).encode()})
    images = prepare(of(packed), 1)
    assert images.classes == {"label": ["3", "7", "unknown"]}
    assert named(images) == ["7", "3", "7", "unknown"]
    none = {**members, "dataset.json": b'{"labels": null}'}
    assert prepare(of(make_zip(tmp_path / "b.zip", none)), 1).classes == {}


@pytest.mark.parametrize("text", ["[]", '{"labels": [["a.png", [1, 2]]]}', "{", '{"labels": 3}'])
def test_other_lists_are_refused(tmp_path: Path, text: str) -> None:
    packed = make_zip(tmp_path / "a.zip", {"a.png": png(1), "dataset.json": text.encode()})
    with pytest.raises(DataError, match=r"a\.zip: not readable as a zip or tar"):
        prepare(of(packed), 1)


def test_shards_of_webdataset(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Samples are files of one path; a segmentation beside an image is none to train on."""
    caplog.set_level(logging.INFO)
    root = tmp_path / "shards"
    root.mkdir()
    for shard in range(3):
        members = {}
        for number in range(2):
            key = f"s/{shard}{number}"
            members[f"{key}.jpg"] = png(20 * shard + 10 * number)  # by content it is a PNG
            members[f"{key}.seg.png"] = png(255)
            members[f"{key}.cls"] = str(2 - shard).encode() + b"\n"
            told = {
                "smiling": bool(number),
                "caption": "x" * 300,
                "box": [1, 2],
                "age": 20.5 + number,
            }
            members[f"{key}.json"] = json.dumps(told).encode()
        make_tar(root / f"shard-{shard}.tar", members)
    images = prepare(of(root), 1)
    assert shades(images) == [0, 10, 20, 30, 40, 50]
    assert images.classes == {"label": ["0", "1", "2"], "smiling": ["not smiling", "smiling"]}
    assert named(images) == ["2", "2", "1", "1", "0", "0"]
    assert images.labels["smiling"].tolist() == [0, 1] * 3
    assert images.about == "6 images of 3 archives in shards"
    assert "left out 6 files" in caplog.text
    one = prepare(of(root / "shard-1.tar", Archive), 1)
    assert shades(one) == [20, 30]
    assert one.classes["label"] == ["1"]


def test_images_win_over_archives_in_a_folder(tmp_path: Path) -> None:
    root = tmp_path / "images"
    root.mkdir()
    (root / "a.png").write_bytes(png(1))
    make_tar(root / "b.tar", {"b.png": png(2)})
    assert shades(prepare(of(root), 1)) == [1]
    assert shades(prepare(of(root, Archive), 1)) == [2]


def test_an_archive_of_no_images_and_no_archive(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "a.zip", {"notes.txt": b"x"})
    (tmp_path / "empty").mkdir()
    for path, message in (
        (packed, "holds no images"),
        (tmp_path / "nowhere.zip", "does not exist"),
        (tmp_path / "empty", "holds no archives"),
    ):
        with pytest.raises(DataMissing, match=rf"data\.path=.*{path.name} {message}"):
            prepare(of(path, Archive), 1)
    (tmp_path / "b.zip").write_text("hello")
    with pytest.raises(DataError, match=r"b\.zip: not readable as a zip or tar"):
        prepare(of(tmp_path / "b.zip"), 1)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_pickled_archives_give_the_same_images(tmp_path: Path, name: str) -> None:
    members = {f"{number}.png": png(number) for number in range(5)}
    if name == "a.zip":
        packed = make_zip(tmp_path / name, members)
    else:
        packed = make_tar(tmp_path / name, members, "w:gz" if name.endswith("gz") else "w")
    made = of(packed)
    order = (3, 0, 4, 4, 1)
    assert [int(made.prepared(at).pixels[0, 0, 0]) for at in order] == list(order)
    again = pickle.loads(pickle.dumps(made))
    assert [int(again.prepared(at).pixels[0, 0, 0]) for at in order] == list(order)


@pytest.fixture
def restarts(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with every time that a compressed archive is begun, where 2 MiB are kept of it."""
    monkeypatch.setattr(tars, "_KEPT", 2 * 2**20)
    found: list[None] = []
    begin = tars._Reader._restart
    monkeypatch.setattr(tars._Reader, "_restart", lambda reader: found.append(begin(reader)))
    return found


def test_a_compressed_tar_is_read_from_front_to_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarts: list[None]
) -> None:
    """Its images are sorted the other way round."""
    monkeypatch.setattr("genlab.data.pixels.cores", lambda: 1)
    random = np.random.default_rng(0)
    members = {}
    for number in reversed(range(8)):
        file = io.BytesIO()
        pixels = random.integers(0, 256, (600, 600, 3), np.uint8)
        pixels[:100, :100] = number
        Image.fromarray(pixels).save(file, "PNG", compress_level=0)
        members[f"{number}.png"] = file.getvalue()
    packed = make_tar(tmp_path / "a.tar.gz", members, "w:gz")
    images = prepare(of(packed, resolution=32), 1)
    assert shades(images) == list(range(8))
    assert len(restarts) == 2  # to look at all headers, to read all images


def test_what_went_by_lately_is_kept(tmp_path: Path, restarts: list[None]) -> None:
    content = np.random.default_rng(0).bytes(8 * 2**20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(content, 1))
    reader = tars._Reader(tmp_path / "a.gz")
    mib = 2**20
    for start, begun in ((0, 1), (4 * mib, 1), (3 * mib + 5, 1), (7 * mib, 1), (4 * mib, 2)):
        assert reader.read(start, 1000) == content[start : start + 1000]
        assert len(restarts) == begun
    assert reader.read(8 * mib - 10, 1000) == content[-10:]
