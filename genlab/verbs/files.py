"""Pictures read from, and written to, files of the user."""

import glob
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from genlab.data.folder import SUFFIXES, files_below
from genlab.data.pixels import eight_bit, fit, upright
from genlab.errors import ConfigError, DataError
from genlab.runs import RunFolder

log = logging.getLogger(__name__)


def listed(given: object, key: str) -> list[Path]:
    """The pictures that a setting names: a file, a folder, a pattern, or a list of these; sorted.

    Raises DataError that names the setting where there are none.
    """
    found: list[Path] = []
    for each_given in given if isinstance(given, list) else [given]:
        path = Path(str(each_given)).expanduser()
        if path.is_dir():
            files = sorted(files_below(path))
        elif path.exists():
            files = [path]
        else:
            matches = map(Path, sorted(glob.glob(str(path), recursive=True)))
            files = [match for match in matches if match.is_file()]
        if not files:
            kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
            what = f"holds no pictures ({kinds})" if path.is_dir() else "does not exist"
            raise DataError(f"{key}={each_given} {what}: name a file, a folder or a pattern")
        found += files
    return sorted(dict.fromkeys(found))


def read(path: Path, channels: int, resolution: int | None = None) -> Tensor:
    """A file's picture as uint8 (C, H, W), upright, laid over white, grey or RGB.

    With a resolution it is fitted to a square, as a folder of data is. DataError that names the
    file where it cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            turned = upright(image)
            if resolution is not None:
                return torch.from_numpy(fit(turned, resolution, channels).copy())
            size = turned.height, turned.width
            pixels = bytearray(eight_bit(turned, "L" if channels == 1 else "RGB").tobytes())
            flat = torch.frombuffer(pixels, dtype=torch.uint8)
            return flat.view(*size, channels).permute(2, 0, 1).contiguous()
    # Pillow's decoders answer damaged bytes with nearly any exception.
    except Exception as error:
        raise DataError(f"{path} cannot be used: {error}; name another picture") from error


def each(
    paths: Sequence[Path], channels: int, resolution: int | None = None
) -> Iterator[tuple[Path, Tensor]]:
    """Files with their pictures, one after another; what cannot be read is said and left out.

    Raises DataError where not a single one can be read.
    """
    usable = 0
    for path in paths:
        try:
            picture = read(path, channels, resolution)
        except DataError as error:
            if len(paths) == 1:
                raise
            log.warning("left out: %s", error)
            continue
        usable += 1
        yield path, picture
    if not usable:
        raise DataError(f"none of {len(paths)} pictures can be read")


def targets(
    paths: Sequence[Path],
    given: object,
    out: str | None,
    folder: RunFolder,
    part: str,
    overwrite: bool,
) -> dict[Path, Path]:
    """Where the picture that is made of each file goes: a PNG of the same name.

    In the folder `out`, or for one file in the PNG `out`, or else in `part` of the run; folders
    below a `given` folder are kept.

    Raises ConfigError, before anything is written, where a picture would take another's place.
    """
    root = Path(str(given)).expanduser()
    place = Path(out).expanduser() if out else folder.path / part
    if place.suffix.lower() == ".png":
        if len(paths) > 1:
            raise ConfigError(f"out={out} is one file for {len(paths)} pictures: name a folder")
        places = {paths[0]: place}
    elif place.suffix.lower() in SUFFIXES:
        raise ConfigError(f"out={out}: pictures are written as PNG: name a .png file or a folder")
    else:
        below = root.is_dir()
        names = {path: path.relative_to(root) if below else Path(path.name) for path in paths}
        places = {path: (place / name).with_suffix(".png") for path, name in names.items()}
    taken: dict[Path, Path] = {}
    for path, target in places.items():
        if target in taken:
            raise ConfigError(
                f"{taken[target]} and {path} would both become {target}: rename one of them"
            )
        taken[target] = path
        if any(target.exists() and target.samefile(source) for source in paths):
            raise ConfigError(f"{target} would take the place of its source: choose another out=")
        if target.exists() and not overwrite:
            raise ConfigError(
                f"{target} is there already: set overwrite=true, or choose another out="
            )
    return places
