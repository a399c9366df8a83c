"""Pictures written as a grid, as single files or as arrays."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from genlab.commands.paths import names_file
from genlab.drawing.pictures import save_png, to_image
from genlab.errors import ConfigError
from genlab.io.files import write_atomically
from genlab.runs.folder import RunFolder
from genlab.words import counted

log = logging.getLogger(__name__)

FORMATS = ("grid", "png", "npz")


class Writes(Protocol):
    """Settings of a command that writes images."""

    @property
    def format(self) -> str:
        """One of `FORMATS`."""

    @property
    def out(self) -> str | None:
        """A file or a folder; None for a place in the run folder."""


def write_pictures(
    arrays: Mapping[str, Tensor],
    draw_grid: Callable[[], Image.Image],
    settings: Writes,
    folder: RunFolder,
    name: str,
) -> None:
    """Write `arrays["images"]` in settings.format to settings.out and say where.

    Images in `arrays` are uint8 (N, C, H, W) and become (N, H, W, C) in an npz; other arrays go
    there as they are.
    """
    form = settings.format
    if form == "grid":
        path = destination(settings.out, folder, name, ".png")
        save_png(draw_grid(), path)
    elif form == "npz":
        path = destination(settings.out, folder, name, ".npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = {
            key: (value.permute(0, 2, 3, 1) if value.ndim == 4 else value).numpy()
            for key, value in arrays.items()
        }
        write_atomically(path, lambda file: np.savez_compressed(file, allow_pickle=False, **stored))
    else:
        path = destination(settings.out, folder, name, "")
        digits = len(str(len(arrays["images"]) - 1))
        if others := list(path.glob("*.png")):
            told = counted(len(others), "image")
            log.warning("%s holds %s from before; some may stay", path, told)
        for index, picture in enumerate(arrays["images"]):
            save_png(to_image(picture), path / f"{index:0{digits}}.png")
    log.info("wrote %s", path)


def named(labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Arrays for an npz: the class label under `labels`, other named labels under `labels/NAME`."""
    return {("labels" if n == "label" else f"labels/{n}"): v for n, v in labels.items()}


def destination(
    out: str | None, folder: RunFolder, name: str, suffix: str, part: str = "generated"
) -> Path:
    """The file to write: `out` itself where it has the suffix, else `name` in the folder `out`.

    Without a suffix a folder to fill, `out` itself. Without `out` it is below `part` of the run.
    ConfigError where `out` is a file of another kind.
    """
    if out is None:
        return folder.path / part / (name + suffix)
    path = Path(out).expanduser()
    if path.suffix != suffix and names_file(path):
        wanted = f"a {suffix} file or a folder" if suffix else "a folder"
        raise ConfigError(f"out={out} does not fit: name {wanted}, or set format=")
    return path if suffix in (path.suffix, "") else path / (name + suffix)


def destinations(
    out: str | None, folder: RunFolder, name: str, suffixes: Sequence[str], part: str
) -> dict[str, Path]:
    """A file to write for each suffix, see `destination`; their folder is made.

    ConfigError where `out` is a file of another kind, or one file for several kinds.
    """
    if out and len(suffixes) > 1 and names_file(Path(out)):
        wanted = " and ".join(suffixes)
        raise ConfigError(f"out={out} does not fit {wanted} files: name a folder, or set format=")
    paths = {suffix: destination(out, folder, name, suffix, part) for suffix in suffixes}
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    return paths
