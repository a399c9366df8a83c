"""Writing images as a grid, as single files or as arrays."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from genlab.commands.user_paths import names_file
from genlab.drawing.image_grid import save_png, to_image
from genlab.errors import ConfigError
from genlab.io.files import write_atomically
from genlab.runs.run_folder import RunFolder
from genlab.words import counted

log = logging.getLogger(__name__)

FORMATS = ("grid", "png", "npz")
_SUFFIXES = {"grid": ".png", "npz": ".npz", "png": ""}
_SHOWN = 3


class Results(Protocol):
    """Settings of where a command writes results."""

    @property
    def out(self) -> str | None:
        """A file or a folder; None for a place in the run folder."""

    @property
    def overwrite(self) -> bool:
        """Whether existing files may be replaced."""


class Writes(Results, Protocol):
    """Settings of a command that writes images."""

    @property
    def format(self) -> str:
        """One of `FORMATS`."""


def place_of(settings: Writes, folder: RunFolder, name: str) -> Path:
    """The file or folder of PNGs to write images to; ConfigError if others are there."""
    path = destination(settings.out, folder, name, _SUFFIXES[settings.format])
    keep_others([path] if path.suffix else sorted(path.glob("*.png")), settings)
    return path


def write_images(
    arrays: Mapping[str, Tensor], draw_grid: Callable[[], Image.Image], form: str, path: Path
) -> None:
    """Write `arrays["images"]` in one of `FORMATS` and log the path.

    Images in `arrays` are uint8 (N, C, H, W) and become (N, H, W, C) in an npz, which other arrays
    are added to unchanged.
    """
    if form == "grid":
        save_png(draw_grid(), path)
    elif form == "npz":
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = {
            key: (value.permute(0, 2, 3, 1) if value.ndim == 4 else value).numpy()
            for key, value in arrays.items()
        }
        write_atomically(path, lambda file: np.savez_compressed(file, allow_pickle=False, **stored))
    else:
        digits = len(str(len(arrays["images"]) - 1))
        if others := list(path.glob("*.png")):
            log.warning(
                "%s contains %s of before; some may stay", path, counted(len(others), "image")
            )
        for index, image in enumerate(arrays["images"]):
            save_png(to_image(image), path / f"{index:0{digits}}.png")
    log.info("wrote %s", path)


def named(labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Arrays for an npz: the class label as `labels`, other labels as `labels/NAME`."""
    return {("labels" if n == "label" else f"labels/{n}"): v for n, v in labels.items()}


def destination(
    out: str | None, folder: RunFolder, name: str, suffix: str, part: str = "generated"
) -> Path:
    """The file to write: `out` itself if it has the suffix, else `name` in the folder `out`.

    Without a suffix it is a folder, `out` itself; without `out` it is in `part` of the run folder.
    ConfigError if `out` is a file of another type.
    """
    if out is None:
        return folder.path / part / (name + suffix)
    path = Path(out).expanduser()
    if path.suffix != suffix and names_file(path):
        wanted = f"a {suffix} file or a folder" if suffix else "a folder"
        raise ConfigError(f"out={out} does not fit: name {wanted}, or set format=")
    return path if suffix in (path.suffix, "") else path / (name + suffix)


def destinations(
    settings: Results,
    folder: RunFolder,
    name: str,
    suffixes: Sequence[str],
    part: str,
    own: bool = True,
) -> dict[str, Path]:
    """A file to write for each suffix, see `destination` and `keep_others`; makes their folder.

    ConfigError if `out` is a file of another type, or one file for several types, or if other files
    exist.
    """
    out = settings.out
    if out and len(suffixes) > 1 and names_file(Path(out)):
        wanted = " and ".join(suffixes)
        raise ConfigError(f"out={out} does not fit {wanted} files: name a folder, or set format=")
    paths = {suffix: destination(out, folder, name, suffix, part) for suffix in suffixes}
    keep_others(list(paths.values()), settings, own)
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    return paths


def keep_others(paths: Sequence[Path], settings: Results, own: bool = True) -> None:
    """Raise ConfigError if results would replace existing files, unless settings allow it.

    Args:
        paths: the files to write.
        settings: of the command. Without `out` results are written to the run folder.
        own: results depend on the run alone: those of an earlier call in the run folder are
            replaced.
    """
    if settings.out is not None or not own:
        refuse_overwriting(paths, settings.overwrite)


def refuse_overwriting(paths: Sequence[Path], overwrite: bool) -> None:
    """Raise ConfigError for existing files, unless they may be replaced."""
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise ConfigError(f"{_names(there)} already: add overwrite=true or choose another out=")


def _names(paths: Sequence[Path]) -> str:
    """The first few paths, the number of further ones, and "exists" or "exist"."""
    shown = ", ".join(str(path) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{shown}{more} {'exists' if len(paths) == 1 else 'exist'}"
