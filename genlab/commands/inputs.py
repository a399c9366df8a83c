"""Pictures in the user's own files: found, read, and where what is made of them goes."""

import glob
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from PIL.Image import Image
from torch import Tensor

from genlab.bounds import WHITE_LEVEL
from genlab.commands.outputs import refuse_overwriting
from genlab.commands.paths import matches, names_file, no_such_file, several
from genlab.config.run import Data
from genlab.data.image_files import MAX_PIXELS, opened
from genlab.data.listing import SUFFIXES, images_below, say_left_out
from genlab.data.pixels import RULE, fit, pillow_quiet, whole
from genlab.data.progress import progress
from genlab.errors import ConfigError, DataError
from genlab.runs.folder import RunFolder
from genlab.words import counted

log = logging.getLogger(__name__)

FIX = "name another image"
T = TypeVar("T")


class Pictures(NamedTuple):
    """Some files and what is in them: images uint8 (B, C, R, R)."""

    paths: list[Path]
    images: Tensor


def listed(pattern: object, key: str, out: object = None) -> list[Path]:
    """The files that `pattern`, the value of the setting `key`, names, each of them once.

    In the order of a list; those of a folder or a glob are sorted.

    Args:
        pattern: a file, a folder for all pictures below it, a glob such as "faces/*.png", or a list
            of these.
        key: what messages call the setting.
        out: a folder that results go to: where it lies in a folder that is named, they are no
            originals of the next time.

    Raises:
        DataError: one of them names nothing.
    """
    given = several(pattern)
    results = None if out is None else Path(str(out)).expanduser().resolve()
    if not given:
        raise DataError(f'{key}=[] is empty: name a file, a folder, or a pattern like "*.png"')
    found = (path for each in given for path in sorted(_found(each, key, results)))
    return list(dict.fromkeys(found))


def read(
    path: Path, channels: int, resolution: int | None = None, white_level: int = WHITE_LEVEL
) -> Tensor:
    """The image of a file, uint8 (C, H, W): upright by EXIF, laid over white, grey or RGB.

    Args:
        path: of a format that genlab knows; of moving images the first frame counts.
        channels: 1 (grey) or 3 (RGB).
        resolution: fit it to a square of this side, as a folder of data is; None leaves it whole.
        white_level: the value of white in images of 16 bits.

    Raises:
        DataError: it cannot be read, or is too large to decode, see `opened`.
    """
    if channels not in (1, 3):
        raise ConfigError(f"{path}: this model knows no pictures, but points of {channels} values")
    with pillow_quiet(), opened(path, FIX, MAX_PIXELS) as image:
        if resolution is None:
            pixels = whole(image, channels, white_level)
        else:
            pixels = fit(image, resolution, channels, white_level).pixels
    return torch.from_numpy(pixels.copy())


def of_image(image: Image, channels: int, resolution: int) -> Tensor:
    """A Pillow image as `read` makes it of a file, uint8 (C, R, R)."""
    with pillow_quiet():
        return torch.from_numpy(fit(image, resolution, channels).pixels.copy())


def reader(data: Data, full_size: bool = False) -> Callable[[Path], Tensor]:
    """`read` as a run prepares its data, or at the images' own size."""
    resolution = None if full_size else data.resolution
    return partial(
        read, channels=data.channels, resolution=resolution, white_level=data.white_level
    )


def each(
    paths: Sequence[Path], load: Callable[[Path], T], task: str = ""
) -> Iterator[tuple[Path, T]]:
    """What `load` makes of every path, one at a time, and a warning for each that it refuses.

    A bar shows how many of several are done, where a `task` says what is done with them.

    Raises:
        DataError: it refuses all.
    """
    done = 0
    shown = progress(task, len(paths)) if task and len(paths) > 1 else nullcontext(_ignore)
    with shown as advance:
        for path in paths:
            try:
                picture = load(path)
            except DataError as error:
                if len(paths) == 1:
                    raise
                log.warning("left out: %s", error)
            else:
                done += 1
                yield path, picture
            advance(1)
    if not done:
        raise DataError(f"none of {counted(len(paths), 'image')} can be used: {paths[0]} and so on")


def _ignore(done: int) -> None:
    """Show nothing."""


def batches(paths: Sequence[Path], data: Data, size: int) -> Iterator[Pictures]:
    """Images as a run prepares its data, `size` at a time; see `each`."""
    kind = "grey" if data.channels == 1 else "RGB"
    log.info("pictures other than %d x %d %s are %s", data.resolution, data.resolution, kind, RULE)
    pictures = each(paths, reader(data), "reading")
    while some := list(islice(pictures, size)):
        yield Pictures([path for path, _ in some], torch.stack([picture for _, picture in some]))


def targets(
    paths: Sequence[Path],
    given: object,
    out: str | None,
    folder: RunFolder,
    part: str,
    overwrite: bool,
) -> dict[Path, Path]:
    """The PNG to write for each file: its name, and its place below a folder that was given.

    Args:
        paths: what `listed` made of `given`.
        given: files, folders and globs as the user named them.
        out: a folder, or for one picture a .png file; None for `part` of the run.
        overwrite: files that are there already may be written over, the originals never.

    Raises:
        ConfigError: files are in the way, or two pictures would get one name.
    """
    place = folder.path / part if out is None else Path(out).expanduser()
    if names_file(place):
        if place.suffix != ".png" or len(paths) > 1:
            wanted = "a folder" if len(paths) > 1 else "a .png file or a folder"
            raise ConfigError(f"out={out} does not fit {len(paths)} picture(s): name {wanted}")
        found = {paths[0]: place}
    else:
        found = {path: place / f"{name}.png" for path, name in names_of(paths, given).items()}
    _refuse_overlap(found)
    refuse_overwriting(list(found.values()), overwrite)
    return found


def names_of(paths: Sequence[Path], given: object) -> dict[Path, Path]:
    """The place of each file below a folder that was given, without its suffix."""
    roots = [_root(name) for name in several(given)]
    return {path: _below(path, roots).with_suffix("") for path in paths}


def _found(name: str, key: str, results: Path | None) -> Iterable[Path]:
    path = Path(name)
    if path.is_file():
        return [path]
    if name and path.is_dir():
        found, left_out = images_below(path)
        say_left_out(path, left_out)
        if results is not None and path.resolve() in results.parents:
            found = [picture for picture in found if results not in picture.resolve().parents]
        if found:
            return found
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise DataError(f"{key}={name} holds no pictures: it needs files of {kinds}")
    if found := matches(name):
        return found
    raise no_such_file(name, key)


def _root(name: str) -> Path:
    """The folder below which places are kept: the one that was named, or that of all matches."""
    path = Path(name)
    if path.is_dir():
        return path
    fixed = path
    while glob.has_magic(str(fixed)) and not fixed.exists():
        fixed = fixed.parent
    return fixed if fixed.is_dir() else fixed.parent


def _below(path: Path, roots: Sequence[Path]) -> Path:
    """The path from the deepest of the roots that it lies in."""
    return min(
        (path.relative_to(root) for root in roots if path.is_relative_to(root)),
        key=lambda place: len(place.parts),
    )


def _refuse_overlap(found: dict[Path, Path]) -> None:
    """Raise ConfigError where a result would take the place of another, or of an original."""
    originals = {path.resolve(): path for path in found}
    first: dict[Path, Path] = {}
    for path, target in found.items():
        if target in first:
            raise ConfigError(
                f"{first[target]} and {path} would both become {target}: rename one, or name them "
                "one by one with out= of their own"
            )
        first[target] = path
        if target.resolve() in originals:
            raise ConfigError(f"{target} would take the place of an original: choose another out=")
