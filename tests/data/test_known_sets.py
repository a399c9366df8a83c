import gzip
import struct
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from genlab.data import CelebA, Cifar10, Digits, FashionMnist, Mnist, celeba, cifar10, prepare
from genlab.data.downloads import load
from genlab.data.idx_sets import FILES
from genlab.errors import DataError


def write_idx(folder, opener=open, suffix="", counts=(6, 4)):
    folder.mkdir(parents=True)
    for position, name in enumerate(FILES):
        count = counts[position // 2]
        shape = (count,) if position % 2 else (count, 28, 28)
        header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        content = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8) % 10
        with opener(folder / f"{name}{suffix}", "wb") as file:
            file.write(header + content.tobytes())


@pytest.mark.parametrize("place", ["fashion-mnist", "FashionMNIST/raw", "."])
@pytest.mark.parametrize(("opener", "suffix"), [(open, ""), (gzip.open, ".gz")])
def test_idx_files_are_found_in_the_data_folder(tmp_path, monkeypatch, place, opener, suffix):
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path / "data"))
    write_idx(tmp_path / "data" / place, opener, suffix)
    images = prepare(FashionMnist(28, 1), 1)
    assert images.images.shape == (10, 1, 28, 28)
    assert images.images[6, 0].ravel().tolist() == [n % 256 % 10 for n in range(784)]
    assert images.labels["label"].tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert images.test_start == 6


def test_mnist_is_read_and_resized_in_colour(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path))
    write_idx(tmp_path / "mnist")
    images = prepare(Mnist(32, 3), 1)
    assert images.images.shape == (10, 3, 32, 32)
    assert images.classes["label"] == list("0123456789")


def test_a_damaged_idx_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path))
    write_idx(tmp_path / "mnist")
    file = tmp_path / "mnist" / FILES[0]
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError, match=f"{FILES[0]} has 4699 values .*fetch it again"):
        prepare(Mnist(28, 1), 1)
    file.write_bytes(b"hello")
    with pytest.raises(DataError, match=f"{FILES[0]} cannot be read"):
        prepare(Mnist(28, 1), 1)


@pytest.mark.parametrize(
    ("position", "shape", "values", "says"),
    [
        (1, (6,), [0, 1, 2, 3, 4, 255], "label 255 where there are 10 classes"),
        (1, (6, 1), range(6), "2 dimensions instead of 1"),
        (0, (6, 784), range(6 * 784), "2 dimensions instead of 3"),
        (0, (6,) * 200, [], "200 dimensions instead of 3"),
        (0, (2**31, 2**31, 28), [], "header claims"),
        (0, (0, 28, 28), [], "header claims 0 values"),
        (1, (2**32 - 1,), [], "header claims"),
        (1, (3,), range(6), "more values where its header says"),
    ],
)
@pytest.mark.parametrize(("opener", "suffix"), [(open, ""), (gzip.open, ".gz")])
def test_idx_files_that_say_what_cannot_be(
    tmp_path, monkeypatch, position, shape, values, says, opener, suffix
):
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path))
    write_idx(tmp_path / "mnist", opener, suffix)
    content = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    with opener(tmp_path / "mnist" / f"{FILES[position]}{suffix}", "wb") as file:
        file.write(content + bytes(value % 256 for value in values))
    with pytest.raises(DataError, match=f"{FILES[position]}.*{says}"):
        prepare(Mnist(28, 1), 1)


def test_a_gz_that_never_ends_is_not_unpacked(tmp_path, monkeypatch):
    """256 MB of zeros behind a header of six labels: read no further than these."""
    import tracemalloc

    monkeypatch.setenv("GENLAB_DATA", str(tmp_path))
    write_idx(tmp_path / "mnist", gzip.open, ".gz")
    with gzip.open(tmp_path / "mnist" / f"{FILES[1]}.gz", "wb", compresslevel=1) as file:
        file.write(struct.pack(">HBBI", 0, 8, 1, 6))
        for _ in range(16):
            file.write(bytes(2**24))
    tracemalloc.start()
    with pytest.raises(DataError, match="more values where its header says"):
        prepare(Mnist(28, 1), 1)
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def offline(*arguments, **settings):
    raise OSError("no network")


def test_what_is_nowhere_says_where_to_put_it(monkeypatch):
    monkeypatch.setattr(FashionMnist, "system_folders", ())
    for name in ("FashionMNIST", "MNIST", "CIFAR10", "CelebA"):
        monkeypatch.setattr(f"torchvision.datasets.{name}", offline)
    with pytest.raises(
        DataError, match=r"GENLAB_DATA.*apt install dataset-fashion-mnist.*download"
    ):
        prepare(FashionMnist(28, 1), 1)
    for source in (Mnist(28, 1), Cifar10(32, 3), CelebA(32, 3)):
        with pytest.raises(DataError, match=r"is not on this machine: .*GENLAB_DATA.*no network"):
            prepare(source, 1)


def test_a_download_cannot_hang(monkeypatch, tmp_path):
    import socket

    timeouts = []
    monkeypatch.setattr(
        "torchvision.datasets.MNIST", lambda root: timeouts.append(socket.getdefaulttimeout())
    )
    load("MNIST", tmp_path)
    assert timeouts == [15]
    assert socket.getdefaulttimeout() is None


def test_cifar10_keeps_order_and_official_test_split(monkeypatch):
    def fake(name, root, train, download):
        count = 3 if train else 2
        pictures = np.full((count, 32, 32, 3), 10 if train else 20, np.uint8)
        return SimpleNamespace(data=pictures, targets=list(range(count)), classes=["a", "b", "c"])

    monkeypatch.setattr(cifar10, "load", fake)
    monkeypatch.setattr(Cifar10, "count", lambda self: 5)
    images = prepare(Cifar10(32, 3), 1)
    assert images.images[:, 0, 0, 0].tolist() == [10, 10, 10, 20, 20]
    assert images.labels["label"].tolist() == [0, 1, 2, 0, 1]
    assert images.test_start == 3


def test_celeba_puts_test_images_last_with_their_attributes(tmp_path, monkeypatch):
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    names = [f"{number}.png" for number in range(4)]
    for number, name in enumerate(names):
        Image.new("RGB", (178, 218), (number, 0, 0)).save(folder / name)
    partition = "\n".join(f"{name} {part}" for name, part in zip(names, "2010", strict=True))
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text(partition + "\n")
    dataset = SimpleNamespace(
        root=tmp_path,
        filename=names,
        attr_names=["Smiling", "Young", ""],
        attr=np.array([[1, 0], [0, 0], [0, 1], [0, 0]]),
    )
    monkeypatch.setattr(celeba, "load", lambda *arguments, **settings: dataset)
    images = prepare(CelebA(16, 3), 1)
    assert images.images[:, 0, 8, 8].tolist() == [1, 2, 3, 0]
    assert images.labels["Smiling"].tolist() == [0, 0, 0, 1]
    assert images.labels["Young"].tolist() == [0, 1, 0, 0]
    assert images.classes["Young"] == ["not Young", "Young"]
    assert images.test_start == 3


@pytest.mark.fashion
def test_fashion_mnist_itself():
    images = prepare(FashionMnist(28, 1), 1)
    assert images.images.shape == (70_000, 1, 28, 28)
    assert images.test_start == 60_000
    assert np.bincount(images.labels["label"]).tolist() == [7000] * 10
    assert images.classes["label"][1] == "Trouser"
    # Trousers stand upright with a gap between the legs; bags are wider than high.
    mean = [images.images[images.labels["label"] == kind].mean(axis=0)[0] for kind in range(10)]
    trouser, bag = mean[1], mean[8]
    assert trouser[20, 13] < trouser[20, 10]
    assert trouser[:, :5].mean() < 10 < bag[:, :5].mean()
    assert 72 < images.images.mean() < 74


def test_digits():
    images = prepare(Digits(8, 1), 1)
    assert images.images.shape == (1797, 1, 8, 8)
    assert images.images.max() == 255
    assert images.test_start is None
    assert images.classes["label"] == list("0123456789")
    zeros = images.images[images.labels["label"] == 0].mean(axis=0)[0]
    assert zeros[3:5, 3:5].mean() < 60 < zeros[2:6, 2].mean()


def test_the_package_is_cheap_to_import():
    heavy = "{'torchvision', 'sklearn', 'dicebear', 'resvg_py', 'PIL', 'torch'}"
    code = f"import sys, genlab.data; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
