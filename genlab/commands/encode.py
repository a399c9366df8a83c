"""`genlab encode`: the codes of images, as a table or as arrays."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.commands import inputs
from genlab.commands.loading import IMAGE, load_run_for
from genlab.commands.outputs import destinations, named
from genlab.data.image_set import drawn
from genlab.data.stream import Batch, take
from genlab.errors import ConfigError
from genlab.io.files import write_atomically
from genlab.learners.abilities import Encodes
from genlab.runs.held_out import condition_of, positions
from genlab.runs.loaded import NO_CODES, LoadedRun
from genlab.settings.encode import Encode
from genlab.words import readable

log = logging.getLogger(__name__)

SUFFIXES = {"parquet": [".parquet"], "npz": [".npz"], "both": [".parquet", ".npz"]}
# Images in memory at a time: the data set may be larger than memory.
_CHUNK = 10_000
_SEVERAL = {"index": "indices", "name": "names"}  # names of arrays by names of table columns


@dataclass(frozen=True)
class Rows:
    """Encoded images without their codes.

    Attributes:
        keys: what identifies them, (N,) by name: `index` into the set, or `name` of a file.
        labels: class numbers (N,) by label.
        classes: class names by label.
    """

    keys: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    classes: dict[str, list[str]]


def run(settings: Encode) -> None:
    """Encode images in files, or images of the split; write."""
    loaded = load_run_for(settings, IMAGE)
    loaded.require(Encodes, NO_CODES)
    name = f"codes_{settings.split if settings.image is None else 'images'}"
    own = settings.image is None
    paths = destinations(settings, loaded.folder, name, SUFFIXES[settings.format], "codes", own)
    if settings.image is None:
        rows, code = _of_split(loaded, settings)
    else:
        rows, code = _of_files(loaded, settings)
    for suffix, path in paths.items():
        write = write_parquet if suffix == ".parquet" else write_npz
        write(path, rows, code)
        log.info("wrote %s", path)


def _of_split(loaded: LoadedRun, settings: Encode) -> tuple[Rows, dict[str, Tensor]]:
    """All images of the split, or `count` of them."""
    indices = drawn(positions(loaded, settings.split), settings.count)
    image_set = loaded.data.image_set
    code = _joined(
        loaded.codes(take(image_set, indices[start : start + _CHUNK]), settings.batch_size)
        for start in range(0, len(indices), _CHUNK)
    )
    labels = {name: values[indices] for name, values in image_set.labels.items()}
    return Rows({"index": indices}, labels, image_set.classes), code


def _of_files(loaded: LoadedRun, settings: Encode) -> tuple[Rows, dict[str, Tensor]]:
    """Images in the user's files, by their paths."""
    if condition_of(loaded):
        raise ConfigError(
            "image=: this model needs labels, which image files do not have: use split="
        )
    paths = inputs.listed(settings.image, "image", settings.out)
    names, parts = [], []
    for some, images in inputs.batches(paths, loaded.config.data, settings.batch_size):
        names += [readable(path) for path in some]
        parts.append(loaded.codes(Batch(images, {}), settings.batch_size))
    return Rows({"name": np.array(names)}, {}, {}), _joined(parts)


def _joined(parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Concatenate the learner's outputs of several batches, (N, ...) by name."""
    every = list(parts)
    return {name: torch.cat([part[name] for part in every]) for name in every[0]}


def write_npz(path: Path, rows: Rows, code: dict[str, Tensor]) -> None:
    """Write `codes` (N, n), `indices` or `names`, labels, class names and all further fields."""
    arrays = {"codes": _plain(code["values"])}
    arrays |= {_SEVERAL[key]: values for key, values in rows.keys.items()}
    labels = {name: torch.from_numpy(values) for name, values in rows.labels.items()}
    arrays |= {name: values.numpy() for name, values in named(labels).items()}
    arrays |= {f"classes/{name}": np.array(names) for name, names in rows.classes.items()}
    for name, values in code.items():
        if name != "values":
            arrays[_free(name, arrays)] = _plain(values)
    write_atomically(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))


def write_parquet(path: Path, rows: Rows, code: dict[str, Tensor]) -> None:
    """Write a row for each image: its key, `code_0` onwards, class names, one-number fields."""
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = dict(rows.keys)
    columns |= {f"code_{i}": column for i, column in enumerate(_plain(code["values"]).T)}
    for name, values in rows.labels.items():
        numbers = pa.array(values.astype(np.int32))
        classes = pa.array(rows.classes[name], pa.string())
        columns[_free(name, columns)] = pa.DictionaryArray.from_arrays(numbers, classes)
    for name, field in code.items():
        if field.ndim == 1:
            columns[_free(name, columns)] = _plain(field)
    table = pa.table(columns)
    write_atomically(path, lambda file: parquet.write_table(table, file))


def _plain(values: Tensor) -> np.ndarray:
    return (values.float() if values.is_floating_point() else values).numpy()


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, with a prefix if it is taken (a codebook's `indices`)."""
    return f"code_{name}" if name in taken else name
