"""Which files of a folder are images, and which of its folders name parts or classes."""

import logging
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genlab.data.image_files import looks_like_image
from genlab.errors import DataError
from genlab.words import counted, readable, shortened, some

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Files that end so are images; others are where they begin as images do."""
PARTS = ("train", "val", "valid", "validation", "test")
"""Folders of these names, in any case, are parts of one set."""
_logger = logging.getLogger(__name__)


class Listing(NamedTuple):
    """Files below a folder, sorted: images, and what was left out."""

    files: list[Path]
    left_out: list[Path]


class Layout(NamedTuple):
    """Images in the order of a set, and what the names of their folders say.

    Attributes:
        order: positions in the list of names; those of the set's own test part are last.
        classes: names of folders; [] where they say nothing.
        labels: the number of the class of each image in this order, int64 (N,).
        test_start: where the set's own test part starts; None without one.
    """

    order: np.ndarray
    classes: list[str]
    labels: np.ndarray
    test_start: int | None


def images_below(root: Path) -> Listing:
    """All images below a folder, and what is left out.

    Hidden files and __MACOSX are passed over; links that lead out of the folder are left out,
    and linked folders are not entered.

    Raises:
        DataError: a folder cannot be listed.
    """
    real_root = os.path.realpath(root)
    files, left_out = [], []
    for entry in _entries(root):
        file = Path(entry.path)
        if entry.is_symlink():
            target = os.path.realpath(file)
            taken = os.path.isfile(target) and Path(target).is_relative_to(real_root)
        else:
            taken = entry.is_file(follow_symlinks=False)
        if taken and (file.suffix.lower() in SUFFIXES or looks_like_image(file)):
            files.append(file)
        else:
            left_out.append(file)
    return Listing(sorted(files), sorted(left_out))


def holds_images(root: Path) -> bool:
    """Whether there is an image anywhere below a folder; the first one is enough."""
    if any(entry.name.lower().endswith(SUFFIXES) for entry in _entries(root)):
        return True
    return bool(images_below(root).files)


def files_below(root: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """All files below a folder whose names end so, sorted; links to files count, hidden ones not.

    Raises:
        DataError: a folder cannot be listed.
    """
    found = (entry for entry in _entries(root) if entry.name.lower().endswith(suffixes))
    return sorted(Path(entry.path) for entry in found if entry.is_file())


def say_left_out(root: Path, left_out: Sequence[Path]) -> None:
    """Log, once for each folder, how many files were left out and the names of some."""
    say_no_images(readable(root), [readable(file.relative_to(root)) for file in left_out])


def say_no_images(root: str, names: Sequence[str]) -> None:
    """Log, once for each root, how many files are not images, and some of their names."""
    if names:
        told = some([readable(name) for name in names])
        say(f"left out {counted(len(names), 'file')} of {root} that are not images: {told}")


def laid_out(names: Sequence[str], root: str) -> Layout:
    """What the folders of images say.

    If every image lies in a subfolder and there are two or more, these are classes. If all of
    them are called train, val, valid, validation or test, with one of them train, they are parts
    of one set, whose classes are the folders below.

    Args:
        names: paths of images below one root, their parts joined by "/".
        root: what messages call the root.
    """
    places = [tuple(name.split("/")[:-1]) for name in names]
    order = np.arange(len(names))
    tops = {place[0] if place else "" for place in places}
    parts = {top.lower() for top in tops}
    test_start = None
    if "train" in parts and parts <= {*PARTS}:
        in_test = np.array([place[0].lower() == "test" for place in places])
        order = np.argsort(in_test, kind="stable")
        places = [places[i][1:] for i in order]
        if in_test.any():
            test_start = int((~in_test).sum())
        said = "all of them are trained on" if test_start is None else "test is its test part"
        say(f"folders {', '.join(sorted(tops))} of {root} are parts of one set: {said}")
    kinds = sorted({place[0] if place else "" for place in places})
    if len(kinds) < 2 or not all(places):
        return Layout(order, [], np.zeros(len(order), np.int64), test_start)
    numbers = {kind: number for number, kind in enumerate(kinds)}
    labels = np.array([numbers[place[0]] for place in places], np.int64)
    return Layout(order, [readable(kind) for kind in kinds], labels, test_start)


def _entries(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    """All that lies below a folder but folders."""
    waiting: list[str | Path] = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as found:
                entries = [entry for entry in found if not is_hidden(entry.name)]
        except OSError as error:
            told = shortened(readable(place), 200)
            raise DataError(f"{told} cannot be listed: {error.strerror}") from error
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not (entry.is_symlink() and os.path.isdir(entry.path)):
                yield entry


def is_hidden(name: str) -> bool:
    """Whether files and folders of this name are passed over."""
    return name.startswith(".") or name == "__MACOSX"


@cache
def say(line: str) -> None:
    """Log a line once: a run lists its images several times."""
    _logger.info("%s", line)
