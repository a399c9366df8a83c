"""Images prepared once per machine, in a folder named by the content of their settings."""

import errno
import hashlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from genlab import ranks
from genlab.data import hashes
from genlab.data.image_set import ImageSet
from genlab.data.progress import progress
from genlab.data.source import Annotations, Source
from genlab.data.work_folders import disk, remove_leftovers, work_folder
from genlab.errors import ConfigError, DataError, ResourceError
from genlab.io.arrays import read_npy, read_npz
from genlab.io.locks import exclusive
from genlab.io.reading import read_json
from genlab.io.schemas import COUNT, TEXT, Kind
from genlab.words import counted

_START = Kind("a whole number or null", lambda value: value is None or COUNT.holds(value))
_ABOUT = {
    "about": TEXT,
    "classes": {str: [TEXT]},
    "test_start": _START,
    "bytes": COUNT,
    "hashes?": {"images": [TEXT], "labels": {str: TEXT}},
}
GIB = 2**30
_NAMES = 4 * GIB
_logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """GENLAB_CACHE, or a folder where this system keeps caches; not created here."""
    if named := os.environ.get("GENLAB_CACHE"):
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "genlab"
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "genlab"
    return Path.home() / ".cache" / "genlab"


def prepare(source: Source, in_memory_gb: float) -> ImageSet:
    """The source's images at their final size, from the cache or written to it first.

    Any number of processes may ask for the same set at once: one of a machine, or of all that
    share a file system with locks, builds it and the others wait. Where there are no locks, each
    builds a folder of its own, and the first rename wins.

    Args:
        source: where the images come from.
        in_memory_gb: GiB on this machine up to which each of the processes that were started
            together reads all images into its memory; larger sets are memory-mapped, and the
            processes share the pages.

    Raises:
        DataError: from the source.
        ResourceError: the cache folder cannot be written, or the disk is too full.
    """
    if in_memory_gb < 0:
        raise ConfigError(f"data.in_memory_gb={in_memory_gb} must be 0 or more")
    folder = _entry(source)
    named = source.uses_names
    image_set = _load(folder, in_memory_gb, named)
    if image_set is None:
        with _sole_builder(folder):
            image_set = _load(folder, in_memory_gb, named)
            if image_set is None:
                _build(source, folder)
                image_set = _load(folder, in_memory_gb, named)
    if image_set is None:
        raise ResourceError(f"{folder} vanished while being read: run again")
    return source.labelled(image_set)


def _entry(source: Source) -> Path:
    fingerprint = source.stored()
    canonical = json.dumps(fingerprint, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    return cache_folder() / "images" / f"{str(fingerprint['source']).lower()}-{digest}"


def _load(folder: Path, in_memory_gb: float, named: bool) -> ImageSet | None:
    """The entry in `folder`; None, with the folder gone, where it is absent or damaged.

    Entries from before names were kept count as damaged where they are wanted (`named`).
    """
    if not folder.is_dir():
        return None
    try:
        about = read_json(folder / "about.json", DataError, _ABOUT)
        in_memory = about["bytes"] * ranks.on_this_machine() <= in_memory_gb * GIB
        images = read_npy(folder / "images.npy", DataError, mapped=not in_memory)
        labels = read_npz(folder / "labels.npz", DataError, about["classes"], follow=False)
        hashes.refuse_damaged(folder, about.get("hashes"), images, labels)
        names = _read_names(folder / "names.json", len(images)) if named else None
        image_set = ImageSet(
            images, labels, about["classes"], about["about"], about["test_start"], names
        )
        image_set.check()
        return image_set
    except (DataError, OSError) as error:
        _logger.warning("%s is damaged and is prepared again: %s", folder, error)
        _discard(folder)
        return None


def _read_names(file: Path, count: int) -> list[str]:
    """The names of so many images."""
    names = read_json(file, DataError, limit=_NAMES)
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise DataError(f"{file}: it holds no names")
    if len(names) != count:
        raise DataError(f"{file}: {len(names)} names of {count} images")
    return names


def _discard(folder: Path) -> None:
    """Remove a damaged entry at once for other processes, then from the disk."""
    with disk(folder.parent):
        trash = work_folder(folder)
        try:
            folder.rename(trash / "damaged")
        except FileNotFoundError:
            pass  # another process was faster
        finally:
            shutil.rmtree(trash, ignore_errors=True)


@contextmanager
def _sole_builder(folder: Path) -> Iterator[None]:
    """No other process builds this entry while the block runs; wait for one that does."""

    def waiting() -> None:
        _logger.info("waiting for another process that prepares %s", folder.name)

    with ExitStack() as stack:
        with disk(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = exclusive(folder.with_name(f".{folder.name}.lock"), waiting)
            stack.enter_context(lock)
        yield


def _build(source: Source, folder: Path) -> None:
    count = source.count()
    started = time.monotonic()
    with disk(folder.parent):
        remove_leftovers(folder.parent)
        work = work_folder(folder)
    try:
        shape = (count, source.channels, source.resolution, source.resolution)
        with disk(folder.parent):
            images = _allocate(work / "images.npy", shape)
        with progress(f"preparing {type(source).__name__}", count) as advance:
            annotations = source.write(images, advance)
        with disk(folder.parent):
            images.flush()
            _write_annotations(work, annotations, images)
            del images
            _publish(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    seconds = time.monotonic() - started
    _logger.info("prepared %s in %.1f s: %s", counted(count, "image"), seconds, folder)


def _allocate(file: Path, shape: tuple[int, ...]) -> np.memmap:
    """A zeroed uint8 .npy map whose disk blocks are reserved: a full disk would kill a writer."""
    size = int(np.prod(shape))
    free = shutil.disk_usage(file.parent).free
    if size > free:
        raise ResourceError(
            f"{file.parent.parent} needs {size / GIB:.2f} GiB but has {free / GIB:.2f} GiB free: "
            "free some space, set GENLAB_CACHE to another disk, or lower data.resolution"
        )
    images = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as handle:
            try:
                os.posix_fallocate(handle.fileno(), 0, file.stat().st_size)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                    raise
    return images


def _write_annotations(work: Path, annotations: Annotations, images: np.ndarray) -> None:
    labels: dict[str, Any] = {
        name: values.astype(np.int64) for name, values in annotations.labels.items()
    }
    np.savez(work / "labels.npz", **labels)
    if annotations.names is not None:  # may hold what is no UTF-8: ASCII only
        (work / "names.json").write_text(json.dumps(annotations.names))
    about = {
        "about": annotations.about,
        "classes": annotations.classes,
        "test_start": annotations.test_start,
        "bytes": (work / "images.npy").stat().st_size,
        "hashes": hashes.of(images, labels),
    }
    (work / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False))


def _publish(work: Path, folder: Path) -> None:
    for file in [*work.iterdir(), work]:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    try:
        work.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # Another process has put the same images there first; they are as good.
