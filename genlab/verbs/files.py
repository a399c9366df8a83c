"""Pictures in the user's own files: found, read, and where what is made of them goes."""

import glob
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from genlab.data.folder import SUFFIXES, pictures_below
from genlab.data.pixels import RULE, eight_bit, fit, pillow_quiet, upright
from genlab.errors import ConfigError, DataError
from genlab.runs import RunFolder
from genlab.verbs.output import names_file

log = logging.getLogger(__name__)

MAX_PIXELS = 200_000_000  # a small file may claim to be enormous
_SHOWN = 3
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
    given = _several(pattern)
    results = None if out is None else Path(str(out)).expanduser().resolve()
    if not given:
        raise DataError(f'{key}=[] is empty: name a file, a folder, or a pattern like "*.png"')
    found = (path for each in given for path in sorted(_found(each, key, results)))
    return list(dict.fromkeys(found))


def read(path: Path, channels: int, resolution: int | None = None) -> Tensor:
    """The picture of a file, uint8 (C, H, W): upright by EXIF, laid over white, grey or RGB.

    Args:
        path: of any format that Pillow reads; of moving pictures the first frame counts.
        channels: 1 (grey) or 3 (RGB).
        resolution: fit it to a square of this side, as a folder of data is; None leaves it whole.

    Raises:
        DataError: it cannot be read, or has more than 200 million pixels.
    """
    from PIL import Image

    if channels not in (1, 3):
        raise ConfigError(f"{path}: this model knows no pictures, but points of {channels} values")
    try:
        with pillow_quiet(), Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            if resolution is not None:
                return torch.from_numpy(fit(upright(image), resolution, channels).copy())
            whole = eight_bit(upright(image), "L" if channels == 1 else "RGB")
            pixels = torch.from_numpy(np.array(whole)).view(whole.height, whole.width, channels)
            return pixels.permute(2, 0, 1).contiguous()
    # Pillow's decoders answer damaged bytes with nearly any exception.
    except Exception as error:
        raise DataError(f"{path} cannot be used: {error}; name another image") from error


def each(paths: Sequence[Path], load: Callable[[Path], T]) -> Iterator[tuple[Path, T]]:
    """What `load` makes of every path, one at a time, and a warning for each that it refuses.

    Raises:
        DataError: it refuses all.
    """
    done = 0
    for path in paths:
        try:
            picture = load(path)
        except DataError as error:
            if len(paths) == 1:
                raise
            log.warning("left out: %s", error)
            continue
        done += 1
        yield path, picture
    if not done:
        raise DataError(f"none of {len(paths)} pictures can be used: {paths[0]} and so on")


def batches(paths: Sequence[Path], channels: int, resolution: int, size: int) -> Iterator[Pictures]:
    """Pictures of one size, `size` at a time; see `each`."""
    kind = "grey" if channels == 1 else "RGB"
    log.info("pictures other than %d x %d %s are %s", resolution, resolution, kind, RULE)
    pictures = each(paths, partial(read, channels=channels, resolution=resolution))
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
        roots = [_root(name) for name in _several(given)]
        found = {path: place / _below(path, roots).with_suffix(".png") for path in paths}
    _refuse_overlap(found)
    refuse_overwriting(list(found.values()), overwrite)
    return found


def refuse_overwriting(paths: Sequence[Path], overwrite: bool) -> None:
    """Raise ConfigError where there are files already, unless they may be written over."""
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise ConfigError(
            f"{_names(there)} there already: add overwrite=true or choose another out="
        )


def _several(pattern: object) -> list[str]:
    """Each of the names, with `~` expanded."""
    given = pattern if isinstance(pattern, list | tuple) else [pattern]
    return [os.path.expanduser(str(name)) for name in given]


def _found(name: str, key: str, results: Path | None) -> Iterable[Path]:
    path = Path(name)
    if path.is_file():
        return [path]
    if name and path.is_dir():
        found = list(pictures_below(path))
        if results is not None and path.resolve() in results.parents:
            found = [picture for picture in found if results not in picture.resolve().parents]
        if found:
            return found
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise DataError(f"{key}={name} holds no pictures: it needs files of {kinds}")
    if found := [Path(match) for match in glob.glob(name, recursive=True) if Path(match).is_file()]:
        return found
    raise DataError(f'{key}={name}: no such file; name a file, a folder, or a pattern like "*.png"')


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


def _names(paths: Sequence[Path]) -> str:
    """The first few with how many more there are, and the verb."""
    shown = ", ".join(str(path) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{shown}{more} {'is' if len(paths) == 1 else 'are'}"
