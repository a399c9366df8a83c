"""`genlab encode`: the codes of real images with their labels, as a table or as arrays."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.image_set import ImageSet, drawn
from genlab.data.stream import take
from genlab.files import write_atomically
from genlab.opened import Opened, open_run
from genlab.verbs.held_out import positions
from genlab.verbs.output import destinations, named
from genlab.words import one_of

log = logging.getLogger(__name__)

SUFFIXES = {"parquet": [".parquet"], "npz": [".npz"], "both": [".parquet", ".npz"]}
# Images in memory at a time: the set may be larger than that.
_CHUNK = 10_000


def run(config: dict[str, Any]) -> None:
    """Encode images of the split, write."""
    count = config["count"]
    batch_size = config["batch_size"]
    one_of("format", config["format"], tuple(SUFFIXES))
    opened = open_run(config["run"], config["accelerator"])
    indices = drawn(positions(opened, config["split"]), count)
    code = encode(opened, indices, batch_size)
    name = f"codes_{config['split']}"
    suffixes = SUFFIXES[config["format"]]
    for suffix, path in destinations(config["out"], opened.folder, name, suffixes, "codes").items():
        write = write_parquet if suffix == ".parquet" else write_npz
        write(path, indices, code, opened.data.image_set)
        log.info("wrote %s", path)


def encode(opened: Opened, indices: np.ndarray, batch_size: int) -> dict[str, Tensor]:
    """What the learner says of the images at `indices`, (N, ...) by name, on the CPU."""
    parts = [
        opened.codes(take(opened.data.image_set, indices[start : start + _CHUNK]), batch_size)
        for start in range(0, len(indices), _CHUNK)
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def write_npz(
    path: Path, indices: np.ndarray, code: dict[str, Tensor], image_set: ImageSet
) -> None:
    """Write `codes` (N, n), `indices` into the set, labels, class names and all further fields."""
    labels = {name: torch.from_numpy(values[indices]) for name, values in image_set.labels.items()}
    arrays = {"codes": _plain(code["values"]), "indices": indices}
    arrays |= {name: values.numpy() for name, values in named(labels).items()}
    arrays |= {f"classes/{name}": np.array(names) for name, names in image_set.classes.items()}
    for name, values in code.items():
        if name != "values":
            arrays[_free(name, arrays)] = _plain(values)
    write_atomically(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))


def write_parquet(
    path: Path, indices: np.ndarray, code: dict[str, Tensor], image_set: ImageSet
) -> None:
    """Write a row for each image: `index`, `code_0` onwards, class names, one-number fields."""
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {"index": indices}
    columns |= {f"code_{i}": column for i, column in enumerate(_plain(code["values"]).T)}
    for name, values in image_set.labels.items():
        numbers = pa.array(values[indices].astype(np.int32))
        classes = pa.array(image_set.classes[name], pa.string())
        columns[_free(name, columns)] = pa.DictionaryArray.from_arrays(numbers, classes)
    for name, field in code.items():
        if field.ndim == 1:
            columns[_free(name, columns)] = _plain(field)
    table = pa.table(columns)
    write_atomically(path, lambda file: parquet.write_table(table, file))


def _plain(values: Tensor) -> np.ndarray:
    return (values.float() if values.is_floating_point() else values).numpy()


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, marked where the file has another use for it (a codebook's `indices`)."""
    return f"code_{name}" if name in taken else name
