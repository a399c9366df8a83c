"""Images in the user's own files: finding and reading them, and the paths of results."""

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
from genlab.commands.user_paths import matches, names_file, no_such_file, several
from genlab.config.run import Data
from genlab.data.image_files import MAX_PIXELS, opened
from genlab.data.listing import SUFFIXES, images_below, say_left_out
from genlab.data.pixels import RULE, fit, pillow_quiet, whole
from genlab.data.progress import progress
from genlab.errors import ConfigError, DataError
from genlab.runs.run_folder import RunFolder
from genlab.words import counted

log = logging.getLogger(__name__)

FIX = "name another image"
T = TypeVar("T")


class NamedImages(NamedTuple):
    """Paths of files and their images, uint8 (B, C, R, R)."""

    paths: list[Path]
    images: Tensor


def listed(pattern: object, key: str, out: object = None) -> list[Path]:
    """The files that `pattern`, the value of the setting `key`, names, without duplicates.

    In the order of a list; those of a folder or a glob are sorted.

    Args:
        pattern: a file, a folder for all images below it, a glob such as "faces/*.png", or a list
            of these.
        key: the name of the setting, for messages.
        out: a folder of results, which is skipped if it is inside a named folder.

    Raises:
        DataError: a name or pattern matches no file.
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
    """The image of a file, uint8 (C, H, W): rotated by EXIF, over white, in grey or RGB.

    Args:
        path: of a known format; of an animation the first frame is read.
        channels: 1 (grey) or 3 (RGB).
        resolution: fit it to a square of this side, like a folder of data; None keeps its size.
        white_level: the value of white in 16-bit images.

    Raises:
        DataError: it cannot be read, or is too large to decode, see `opened`.
    """
    if channels not in (1, 3):
        raise ConfigError(f"{path}: this model takes points of {channels} values, not images")
    with pillow_quiet(), opened(path, FIX, MAX_PIXELS) as image:
        if resolution is None:
            pixels = whole(image, channels, white_level)
        else:
            pixels = fit(image, resolution, channels, white_level).pixels
    return torch.from_numpy(pixels.copy())


def of_image(image: Image, channels: int, resolution: int) -> Tensor:
    """A Pillow image, uint8 (C, R, R), prepared as `read` does for files."""
    with pillow_quiet():
        return torch.from_numpy(fit(image, resolution, channels).pixels.copy())


def reader(data: Data, full_size: bool = False) -> Callable[[Path], Tensor]:
    """`read` with the preparation of a run's data, or at the images' own size."""
    resolution = None if full_size else data.resolution
    return partial(
        read, channels=data.channels, resolution=resolution, white_level=data.white_level
    )


def each(
    paths: Sequence[Path], load: Callable[[Path], T], task: str = ""
) -> Iterator[tuple[Path, T]]:
    """Load every path in turn; a DataError of one file is only a warning.

    With several paths and a `task`, its name for messages, a progress bar is shown.

    Raises:
        DataError: no file can be loaded.
    """
    done = 0
    shown = progress(task, len(paths)) if task and len(paths) > 1 else nullcontext(_ignore)
    with shown as advance:
        for path in paths:
            try:
                image = load(path)
            except DataError as error:
                if len(paths) == 1:
                    raise
                log.warning("left out: %s", error)
            else:
                done += 1
                yield path, image
            advance(1)
    if not done:
        raise DataError(f"none of {counted(len(paths), 'image')} can be used: {paths[0]} and so on")


def _ignore(done: int) -> None:
    """Show nothing."""


def batches(paths: Sequence[Path], data: Data, size: int) -> Iterator[NamedImages]:
    """Images prepared like a run's data, in batches of `size`; see `each`."""
    kind = "grey" if data.channels == 1 else "RGB"
    log.info("images other than %d x %d %s are %s", data.resolution, data.resolution, kind, RULE)
    loaded = each(paths, reader(data), "reading")
    while some := list(islice(loaded, size)):
        yield NamedImages([path for path, _ in some], torch.stack([image for _, image in some]))


def targets(
    paths: Sequence[Path],
    given: object,
    out: str | None,
    folder: RunFolder,
    part: str,
    overwrite: bool,
) -> dict[Path, Path]:
    """The PNG to write for each file, with its name and its path below the given folder.

    Args:
        paths: what `listed` returned for `given`.
        given: files, folders and globs as the user named them.
        out: a folder, or for one image a .png file; None for `part` of the run.
        overwrite: existing files may be replaced, but never the originals.

    Raises:
        ConfigError: a file exists already, or two images would get the same name.
    """
    place = folder.path / part if out is None else Path(out).expanduser()
    if names_file(place):
        if place.suffix != ".png" or len(paths) > 1:
            wanted = "a folder" if len(paths) > 1 else "a .png file or a folder"
            raise ConfigError(
                f"out={out} does not fit {counted(len(paths), 'image')}: name {wanted}"
            )
        found = {paths[0]: place}
    else:
        found = {path: place / f"{name}.png" for path, name in names_of(paths, given).items()}
    _refuse_overlap(found)
    refuse_overwriting(list(found.values()), overwrite)
    return found


def names_of(paths: Sequence[Path], given: object) -> dict[Path, Path]:
    """The path of each file below the given folder, without its suffix."""
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
            found = [image for image in found if results not in image.resolve().parents]
        if found:
            return found
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise DataError(f"{key}={name} contains no images: it needs files of {kinds}")
    if found := matches(name):
        return found
    raise no_such_file(name, key)


def _root(name: str) -> Path:
    """The folder that paths are relative to: the named one, or that of all matches."""
    path = Path(name)
    if path.is_dir():
        return path
    fixed = path
    while glob.has_magic(str(fixed)) and not fixed.exists():
        fixed = fixed.parent
    return fixed if fixed.is_dir() else fixed.parent


def _below(path: Path, roots: Sequence[Path]) -> Path:
    """The path relative to the deepest root that contains it."""
    return min(
        (path.relative_to(root) for root in roots if path.is_relative_to(root)),
        key=lambda place: len(place.parts),
    )


def _refuse_overlap(found: dict[Path, Path]) -> None:
    """Raise ConfigError if a result would replace another result or an original."""
    originals = {path.resolve(): path for path in found}
    first: dict[Path, Path] = {}
    for path, target in found.items():
        if target in first:
            raise ConfigError(
                f"{first[target]} and {path} would both become {target}: rename one, or run the "
                "command for each with another out="
            )
        first[target] = path
        if target.resolve() in originals:
            raise ConfigError(f"{target} would replace an original: choose another out=")
