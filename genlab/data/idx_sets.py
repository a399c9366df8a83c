"""Sets in MNIST's idx format (http://yann.lecun.com/exdb/mnist/)."""

import gzip
import math
import struct
import zlib
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from genlab.data.downloads import data_folders, find, load
from genlab.data.pixels import fit_arrays
from genlab.data.source import Advance, Annotations, Source, stamp
from genlab.errors import DataError
from genlab.io.reading import one_line, require_regular

IMAGES, LABELS = 3, 1  # dimensions
LARGEST = 2**30  # bytes of an array, twenty times MNIST's
FILES = tuple(
    f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)


class IdxSet(Source):
    """Four idx files: 28-pixel grey pictures and their classes, for training and test."""

    torchvision_name: ClassVar[str]
    places: ClassVar[tuple[str, ...]]
    """Folders below GENLAB_DATA or the downloads."""
    system_folders: ClassVar[tuple[Path, ...]] = ()
    classes: ClassVar[tuple[str, ...]]
    about: ClassVar[str]
    other_ways: ClassVar[str] = ""

    @cached_property
    def files(self) -> list[Path]:
        """The four files in the order of FILES, downloaded if they are nowhere.

        Raises:
            DataError: they are nowhere and cannot be downloaded.
        """
        folders = [root / place for root in data_folders() for place in self.places]
        found = find([*folders, *self.system_folders], FILES)
        if found is None:
            root = data_folders()[0]
            try:
                load(self.torchvision_name, root, download=True)
            except DataError as error:
                raise DataError(
                    f"{self.torchvision_name} is not on this machine: set GENLAB_DATA to a folder "
                    f"with {self.places[0]}/{FILES[0]}(.gz) and its three companions, "
                    f"{self.other_ways}or connect to the network for the download ({error})"
                ) from error
            found = find([root / self.torchvision_name / "raw"], FILES)
        assert found is not None
        return found

    def fingerprint(self) -> dict[str, object]:
        """Settings and a stamp of the four files."""
        return super().fingerprint() | {"files": stamp(self.files[0].parent, self.files)}

    def count(self) -> int:
        """Training and test images, from the headers of their files."""
        return sum(read_idx_header(file, IMAGES)[0] for file in self.files[::2])

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (N, C, H, W), training images first."""
        pictures = [read_idx(file, IMAGES) for file in self.files[::2]]
        targets = [read_idx(file, LABELS) for file in self.files[1::2]]
        for file, labels in zip(self.files[1::2], targets, strict=True):
            if labels.max() >= len(self.classes):
                raise DataError(
                    f"{file}: label {labels.max()} where there are {len(self.classes)} classes: "
                    "fetch it again"
                )
        if [len(part) for part in pictures] != [len(part) for part in targets]:
            raise DataError(f"{self.files[0].parent}: images and labels differ in number")
        fit_arrays(np.concatenate(pictures), images, advance)
        return Annotations(
            about=self.about,
            labels={"label": np.concatenate(targets)},
            classes={"label": list(self.classes)},
            test_start=len(pictures[0]),
        )


class FashionMnist(IdxSet):
    """70 000 grey pictures of garments (https://github.com/zalandoresearch/fashion-mnist).

    Found in $GENLAB_DATA, in /usr/share/datasets/fashion-mnist (Debian's package
    dataset-fashion-mnist), or downloaded.
    """

    torchvision_name = "FashionMNIST"
    places = ("fashion-mnist", "FashionMNIST/raw", "")
    system_folders = (Path("/usr/share/datasets/fashion-mnist"),)
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    about = "Fashion-MNIST, pictures of garments (H. Xiao et al. 2017, Zalando SE), MIT"
    other_ways = "run apt install dataset-fashion-mnist, "


class Mnist(IdxSet):
    """70 000 grey handwritten digits, found in $GENLAB_DATA or downloaded."""

    torchvision_name = "MNIST"
    places = ("mnist", "MNIST/raw")
    classes = tuple("0123456789")
    about = "MNIST, handwritten digits (Y. LeCun, C. Cortes and C. Burges 1998), CC BY-SA 3.0"


def read_idx_header(file: Path, dimensions: int) -> tuple[int, ...]:
    """Shape of the array in an idx file of bytes, plain or .gz; DataError for anything else."""
    return _read(file, dimensions, header_only=True)[0]


def read_idx(file: Path, dimensions: int) -> np.ndarray:
    """The uint8 array of an idx file, plain or .gz; DataError for anything else."""
    shape, content = _read(file, dimensions, header_only=False)
    if len(content) != math.prod(shape):
        more = "more" if len(content) > math.prod(shape) else f"{len(content)}"
        raise DataError(f"{file} has {more} values where its header says {shape}: fetch it again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read(file: Path, wanted: int, header_only: bool) -> tuple[tuple[int, ...], bytes]:
    """Shape and values, of these at most one more than the shape asks for: .gz may hold endless."""
    require_regular(file, DataError, follow=True)
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            zeros, kind, dimensions = struct.unpack(">HBB", opened.read(4))
            if (zeros, kind) != (0, 8):
                raise ValueError("no idx file of bytes")
            if dimensions != wanted:
                raise ValueError(f"{dimensions} dimensions instead of {wanted}")
            shape = struct.unpack(f">{dimensions}I", opened.read(4 * dimensions))
            if not 0 < math.prod(shape) <= LARGEST:
                raise ValueError(f"its header claims {math.prod(shape):,} values")
            return shape, b"" if header_only else opened.read(math.prod(shape) + 1)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise DataError(f"{file} cannot be read: {one_line(error)}; fetch it again") from error
