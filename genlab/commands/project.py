"""`genlab project`: the codes of real images, by an encoder or by looking for them."""

import logging
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.commands import inputs
from genlab.commands.loading import IMAGE, load_run_for
from genlab.commands.outputs import destinations
from genlab.data.stream import Batch, take
from genlab.drawing.image_grid import grid, save_png, shortened, with_caption, with_row_captions
from genlab.editing.inversion import Inversion, features_to_compare, space_to_search
from genlab.editing.space import LatentSpace, space_of
from genlab.errors import ConfigError
from genlab.io.files import write_atomically
from genlab.learners.abilities import Encodes
from genlab.metrics import psnr, squared_error
from genlab.pixels import normalise
from genlab.runs.held_out import condition_of, latents_of, positions
from genlab.runs.loaded import LoadedRun
from genlab.settings.project import Project
from genlab.words import readable

log = logging.getLogger(__name__)


class TargetImages(NamedTuple):
    """Images uint8 (N, C, H, W), their names, and their labels (N,), if they have any."""

    images: Tensor
    names: list[str]
    labels: dict[str, Tensor]


def run(settings: Project) -> None:
    """Read the images, find their codes, write both."""
    loaded = load_run_for(settings, IMAGE)
    method = settings.method
    if method == "auto":
        method = "encoder" if isinstance(loaded.learner, Encodes) else "optimise"
    targets = _target_images(loaded, settings)
    place = settings.space.replace("+", "plus")
    name = f"projection_{_file_stem(targets.names)}_{method}_{place}{loaded.folder.tag}"
    paths = destinations(settings, loaded.folder, name, [".png", ".npz"], "generated")
    if method == "encoder":
        if settings.space != "auto":
            raise ConfigError(f"space={settings.space} is for method=optimise: leave it out")
        space = space_of(loaded)
        codes = _encode(loaded, space, targets, settings)
        views = space.images(codes, settings.batch_size)[:, None]
    else:
        space, layers = space_to_search(loaded, settings.space)
        search = Inversion(space, layers, features_to_compare(loaded), settings)
        codes, views = search.invert(targets.images)
    _write(targets, codes, views, paths)


def _file_stem(names: list[str]) -> str:
    """Part of a file name: the first name, and the number of further ones."""
    first = re.sub(r"\W+", "_", Path(names[0]).stem)
    return first if len(names) == 1 else f"{first}_and_{len(names) - 1}_more"


def _target_images(loaded: LoadedRun, settings: Project) -> TargetImages:
    """The named files, or images of the split."""
    if (settings.image is None) == (settings.index is None):
        raise ConfigError("say which images: either image=PATH, or index=NUMBER of split=test")
    if settings.image is not None:
        paths = inputs.listed(settings.image, "image")
        found = dict(inputs.each(paths, inputs.reader(loaded.config.data)))
        return TargetImages(
            torch.stack(list(found.values())), [readable(path) for path in found], {}
        )
    given = settings.index if isinstance(settings.index, list) else [settings.index]
    indices = positions(loaded, settings.split)
    if not given:
        raise ConfigError("index=[] is empty: name at least one image")
    for number in given:
        if not isinstance(number, int) or not 0 <= number < len(indices):
            raise ConfigError(
                f"index={number} must be a whole number from 0 to {len(indices) - 1}, the last "
                f"image of split={settings.split}"
            )
    batch = take(loaded.data.image_set, indices[given])
    return TargetImages(
        batch.images, [f"{settings.split} {number}" for number in given], batch.labels
    )


def _encode(
    loaded: LoadedRun, space: LatentSpace, targets: TargetImages, settings: Project
) -> Tensor:
    """Codes (N, 1, n) by the model's own encoder."""
    loaded.require(Encodes, "has no encoder: use method=optimise")
    if condition_of(loaded) and not targets.labels:
        raise ConfigError(
            "method=encoder: this model needs labels, which image files do not have: use "
            "method=optimise, or index="
        )
    values = loaded.codes(Batch(targets.images, targets.labels), settings.batch_size)["values"]
    return space.codes(latents_of(loaded, values, targets.labels))


def _write(targets: TargetImages, codes: Tensor, views: Tensor, paths: dict[str, Path]) -> None:
    """Write images and intermediate ones (N, S, C, H, W), codes (N, layers, n), and errors."""
    errors = squared_error(normalise(views[:, -1]), normalise(targets.images))
    ratios = psnr(errors)
    for name, error, ratio in zip(targets.names, errors.tolist(), ratios.tolist(), strict=True):
        log.info("%s: mse %.5f, psnr %.2f dB", name, error, ratio)
    columns = torch.cat([targets.images[:, None], views], 1)
    apart = (1,) if views.shape[1] == 1 else (1, columns.shape[1] - 1)
    caption = "image, and its reconstruction"
    if views.shape[1] > 1:
        caption = "image, intermediate images, and its reconstruction"
    captions = [
        f"{shortened(Path(name).name)}: {ratio:.1f} dB"
        for name, ratio in zip(targets.names, ratios.tolist(), strict=True)
    ]
    sheet = with_row_captions(grid(columns.flatten(0, 1), columns.shape[1], apart=apart), captions)
    save_png(with_caption(sheet, caption), paths[".png"])
    arrays = {
        "codes": codes,
        "images": targets.images.permute(0, 2, 3, 1),
        "pictures": views[:, -1].permute(0, 2, 3, 1),
        "mse": errors,
        "psnr": ratios,
    }
    stored = {key: value.numpy() for key, value in arrays.items()}
    stored["names"] = np.array(targets.names)
    write_atomically(
        paths[".npz"], lambda file: np.savez_compressed(file, allow_pickle=False, **stored)
    )
    for path in paths.values():
        log.info("wrote %s", path)
