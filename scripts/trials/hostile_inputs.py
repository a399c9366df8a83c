"""Pages, working directories, images and arrays that a stranger could send."""

import csv
import gzip
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from trials.case import CODE, EVIL_PAGE, RESUME, TRAIN, Case, put, write_page


def cases() -> Iterator[Case]:
    """Every case that is not a run folder."""
    yield from _pages()
    yield from _working_directories()
    yield from _images()
    yield from _arrays()


def _pages() -> Iterator[Case]:
    words = ("train", "--config-dir=pages", "model=evil", *TRAIN[3:], "data=digits")
    evil = {
        "callbacks": EVIL_PAGE,
        "env_set": "# @package _global_\nhydra: {job: {env_set: {PATH: pages}}}\n",
        "run dir": "# @package _global_\nhydra: {run: {dir: ../outside}}\n",
        "subdir": "# @package _global_\nhydra: {output_subdir: ../../outside}\n",
        "launcher": "# @package _global_\nhydra: {launcher: {_target_: os.system}}\n",
        "sweeper": "# @package _global_\nhydra: {sweeper: {_target_: os.system}}\n",
        "searchpath": "# @package _global_\nhydra: {searchpath: ['file:///tmp']}\n",
        "logging": "# @package _global_\nhydra: {job_logging: {handlers: {file: {class: "
        "logging.FileHandler, filename: ../victim}}, root: {handlers: [file]}}}\n",
        "override": "# @package _global_\ndefaults: [vae, {override /hydra/job_logging: evil}]\n",
        "target": "# @package _global_\nmodel: {_target_: os.system, command: id}\n",
        "secret": "# @package _global_\ndefaults: [vae]\ndata: {path: '${oc.env:SECRET}'}\n",
        "tag": "a: !!python/object/apply:os.system ['touch $CANARY']\n",
        "deep": "a: " + "[" * 20_000,
        "loop": "# @package _global_\ndefaults: [evil]\n",
        "list": "- 1\n- 2\n",
        "binary": "\0\1",
    }
    for name, content in evil.items():
        yield Case(
            f"page {name}",
            (lambda c: lambda p: write_page(p / "pages", "model/evil", c))(content),
            words,
        )
    logging = "version: 1\nhandlers: {file: {class: logging.FileHandler, filename: ../victim}}\n"
    logging += "root: {handlers: [file]}\n"
    for group, content in (
        ("hydra/job_logging/genlab", logging),
        ("hydra/hydra_logging/genlab", logging),
        ("hydra/launcher/basic", "_target_: torch.utils.collect_env.run\ncommand: touch $CANARY\n"),
        ("hydra/sweeper/basic", "_target_: torch.utils.collect_env.run\ncommand: touch $CANARY\n"),
        ("hydra/callbacks/evil", "x: {_target_: os.system}\n"),
        ("train", EVIL_PAGE),
        ("trainer/auto", EVIL_PAGE),
        ("data/digits", EVIL_PAGE),
    ):
        prepare = (lambda g, c: lambda p: write_page(p / "pages", g, c))(group, content)
        vae = tuple(word.replace("model=evil", "model=vae") for word in words)
        yield Case(f"page {group}", prepare, vae, harmless="hydra/" in group)


def _working_directories() -> Iterator[Case]:
    modules = ("typing_extensions", "torch", "yaml", "numpy", "sitecustomize", "genlab", "hydra")
    words = (*TRAIN, "data=digits", "trainer.accelerator=cpu", "trainer.devices=2")
    for name in modules:
        prepare = (lambda n: lambda place: put(place / f"{n}.py", CODE.encode()))(name)
        yield Case(f"module {name}.py", prepare, words, harmless=True)
    yield Case(
        "home as a run folder",
        lambda place: put(place / "thesis.part", b"precious"),
        (*TRAIN, "data=digits", "hydra.run.dir=."),
    )


def _images() -> Iterator[Case]:
    words = (*TRAIN, "data=folder", "data.path=images")

    def image(name: str, content: bytes) -> Callable[[Path], None]:
        return lambda place: put(place / "images" / "cat" / name, content)

    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(canary) run\nshowpage\n%%EOF\n"
    for name, content in (
        ("eps.png", eps),
        ("eps.jpg", eps),
        ("bomb.png", _png(60_000, 60_000, 2)),
        ("tall.png", _png(1, 200_000_000, 0)),
        ("rgba.png", _png(12_000, 12_000, 6)),
        ("deep.png", _png(12_000, 12_000, 0, 16)),
        ("cut.png", _png(64, 64, 2)[:200]),
        ("empty.png", b""),
        ("html.png", b"<html></html>"),
        (
            "svg.png",
            b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        ),
        ("text.png", _png(8, 8, 2, text=200_000_000)),
    ):
        yield Case(f"image {name}", image(name, content), words, harmless=True)

    def special(place: Path) -> None:
        os.mkfifo(place / "images" / "cat" / "pipe.png")

    def endless(place: Path) -> None:
        (place / "images" / "cat" / "zero.png").symlink_to("/dev/zero")

    def outside(place: Path) -> None:
        (place / "images" / "cat" / "out.png").symlink_to(place.parent / "victim")

    def loop(place: Path) -> None:
        (place / "images" / "cat" / "again").symlink_to(place / "images")

    for name, prepare in (
        ("pipe", special),
        ("device", endless),
        ("link", outside),
        ("loop", loop),
    ):
        yield Case(f"image {name}", prepare, words, harmless=True)
    for verb in (("score", "run=run"), ("project", "run=run", "steps=2", "draws=4")):
        yield Case("given eps.png", image("eps.png", eps), (*verb, "image=images/cat/eps.png"))
        bomb = image("bomb.png", _png(60_000, 60_000, 2))
        yield Case("given bomb.png", bomb, (*verb, "image=images/cat/bomb.png"))


def _png(width: int, height: int, colour: int, bits: int = 8, text: int = 0) -> bytes:
    """A PNG of zeros, compressed to next to nothing."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    row = b"\0" * (1 + width * channels * bits // 8)
    packer = zlib.compressobj(9)
    rows = min(height, max(1, 50_000_000 // len(row)))
    data = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    extra = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * text)) if text else b""
    parts = chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _arrays() -> Iterator[Case]:
    idx = "train-images-idx3-ubyte.gz"

    def sets(change: Callable[[Path], None]) -> Callable[[Path], None]:
        def prepare(place: Path) -> None:
            folder = place / "sets" / "mnist"
            folder.mkdir(parents=True)
            for part, count in (("train", 40), ("t10k", 20)):
                pixels = bytes(count * 784)
                header = struct.pack(">IIII", 2051, count, 28, 28)
                put(folder / f"{part}-images-idx3-ubyte.gz", gzip.compress(header + pixels))
                labels = struct.pack(">II", 2049, count) + bytes(n % 10 for n in range(count))
                put(folder / f"{part}-labels-idx1-ubyte.gz", gzip.compress(labels))
            change(folder)

        return prepare

    words = (*TRAIN, "data=mnist")
    labels = "train-labels-idx1-ubyte.gz"
    for name, file, content in (
        ("labels 255", labels, struct.pack(">II", 2049, 40) + b"\xff" * 40),
        ("labels 2-d", labels, struct.pack(">III", 2050, 40, 1) + bytes(40)),
        ("short", idx, struct.pack(">IIII", 2051, 40, 28, 28) + bytes(100)),
        ("claims", idx, struct.pack(">IIII", 2051, 2**31, 2**15, 2**15)),
        ("bomb", idx, struct.pack(">IIII", 2051, 40, 28, 28) + bytes(900_000_000)),
        ("no dimensions", idx, struct.pack(">I", 2048)),
    ):
        prepare = (lambda f, c: sets(lambda folder: put(folder / f, gzip.compress(c))))(
            file, content
        )
        yield Case(f"idx {name}", lambda place, p=prepare: (p(place), None)[1], words)

    good = np.zeros((4, 8, 8, 3), np.uint8)
    for name, arrays in (
        ("objects", {"images": np.array([{"a": 1}], dtype=object)}),
        ("floats", {"images": good.astype(np.float64) * np.nan}),
        ("flat", {"images": good.reshape(4, -1)}),
        ("labels 2-d", {"images": good, "label": np.zeros((4, 2), np.int64)}),
        ("labels beyond", {"images": good, "label": np.full(4, 99)}),
        ("nothing", {}),
    ):
        prepare = (lambda a: lambda place: np.savez(place / "extra.npz", **a))(arrays)
        words = (*TRAIN, "data=folder", "data.path=images", "data.extra=extra.npz")
        yield Case(f"npz {name}", prepare, words)

    def claims(place: Path) -> None:
        header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 1000, 1000, 3), }"
        header += b" " * (118 - len(header) - 1) + b"\n"
        with zipfile.ZipFile(place / "extra.npz", "w") as archive:
            content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
            archive.writestr("images.npy", content)

    yield Case("npz claims", claims, words)

    def table(place: Path) -> None:
        with (place / "run" / "metrics.csv").open("w", newline="") as file:
            csv.writer(file).writerow(["images_seen", *(f"m{n}" for n in range(100_000))])

    yield Case("metrics of 100 000 columns", table, RESUME, True)

    def scores(place: Path) -> None:
        metrics = {f"metric_{number}": 1.0 for number in range(3_000)}
        content = {"metrics": metrics, "stamp": {}}
        (place / "run" / "evaluation.json").write_text(json.dumps(content))

    yield Case("3 000 metrics", scores, ("compare", "runs=[run,run]"), True)
