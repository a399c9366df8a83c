"""The exported weights of a run, in a file with a hash of its content."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from genlab.errors import CheckpointError
from genlab.io.files import write_atomically
from genlab.io.reading import parse_json, read_bytes
from genlab.io.schemas import ANY, TEXT
from genlab.learners import Learner

log = logging.getLogger(__name__)

_PREFIX = 8  # bytes that say how long the header is
_HEADER = 2**24  # bytes
_BLANK = "0" * 64
_METADATA = {"__metadata__": {"images_seen": TEXT, "sha256?": TEXT}, str: ANY}
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_LONGEST = 80  # of a name in a message


class Weights(NamedTuple):
    """Tensors by name, and the number of images that their learner had seen."""

    tensors: dict[str, Tensor]
    images_seen: int


def export_weights(learner: Learner, path: Path) -> None:
    """Write the learner's exported network as safetensors, atomically."""
    write_weights(exported_tensors(learner), learner.images_seen, path)


def exported_tensors(learner: Learner) -> dict[str, Tensor]:
    """A copy of the learner's exported network, on the CPU."""
    state = learner.exported.state_dict()
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


def write_weights(tensors: dict[str, Tensor], images_seen: int, path: Path) -> None:
    """Write an exported network as safetensors, atomically.

    The metadata contain the sha256 of the whole file with zeros in place of the hash, so that a
    single file has both and can be renamed. The same tensors give the same bytes.
    """
    content = save(tensors, metadata={"images_seen": str(images_seen), "sha256": _BLANK})
    end = _PREFIX + int.from_bytes(content[:_PREFIX], "little")
    entries = json.loads(content[_PREFIX:end])
    metadata = sorted(entries["__metadata__"].items())  # safetensors writes them in random order
    entries["__metadata__"] = dict(metadata)
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    header = content[:_PREFIX] + text.ljust(end - _PREFIX)
    digest = hashlib.sha256(header)
    digest.update(memoryview(content)[end:])
    header = header.replace(_BLANK.encode(), digest.hexdigest().encode(), 1)
    write_atomically(path, lambda file: (file.write(header), file.write(content[end:])))


def read_weights(path: Path, expected: Mapping[str, Tensor] | None = None) -> Weights:
    """Read exported weights; they are undamaged and finite.

    Older files without a hash are read as well.

    Args:
        path: of the file, which need not be trusted.
        expected: tensors by name with the shapes and dtypes that these must have.

    Raises:
        CheckpointError: a damaged file, weights of other networks, or values that are not finite.
    """
    content = read_bytes(path, CheckpointError, limit=None)
    end = _PREFIX + int.from_bytes(content[:_PREFIX], "little")
    if not _PREFIX < end <= min(_PREFIX + _HEADER, len(content)):
        raise CheckpointError(f"{path}: not a weights file (no header of safetensors)")
    text = content[_PREFIX:end].decode(errors="replace")
    metadata = parse_json(path, CheckpointError, text, _METADATA)["__metadata__"]
    if not metadata.keys() <= {"images_seen", "sha256"}:
        raise CheckpointError(f"{path}: its metadata contain more than images_seen and sha256")
    if not re.fullmatch(r"[0-9]{1,18}", metadata["images_seen"]):
        raise CheckpointError(f"{path}: images_seen of its metadata is not a whole number")
    digest = metadata.get("sha256")
    if digest is not None:
        blank = content[:end].replace(digest.encode(), _BLANK.encode(), 1)
        found = hashlib.sha256(blank)
        found.update(memoryview(content)[end:])
        if found.hexdigest() != digest:
            raise CheckpointError(f"{path} is damaged: its content does not match its sha256")
    try:
        tensors = load(content)
    except (SafetensorError, ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:_LONGEST]
        raise CheckpointError(f"{path}: not a weights file ({reason})") from error
    problem = None if expected is None else tensors_mismatch(tensors, expected)
    if problem := problem or not_finite(tensors):
        raise CheckpointError(f"{path}: {problem}")
    return Weights(tensors, int(metadata["images_seen"]))


def weights_images_seen(path: Path) -> int | None:
    """The number of images that exported weights have seen; None without a file."""
    return read_weights(path).images_seen if path.exists() else None


def intact_images_seen(path: Path) -> int | None:
    """The same, but None for a damaged file, which is logged."""
    try:
        return weights_images_seen(path) if path.is_file() else None
    except CheckpointError as error:
        log.warning("%s; it is written again", error)
        return None


def tensors_mismatch(found: Mapping[str, Any], expected: Mapping[str, Tensor]) -> str | None:
    """How tensors differ in names, shapes or dtypes from those of a network; None if they fit."""
    problems = [f"{name} is missing" for name in expected if name not in found]
    problems += [f"{str(name)[:_LONGEST]} is unknown" for name in found if name not in expected]
    for name, tensor in expected.items():
        if name in found and not _alike(found[name], tensor):
            problems.append(f"{name[:_LONGEST]} is {_kind(found[name])}, not {_kind(tensor)}")
    if not problems:
        return None
    more = f" and {len(problems) - 1:,} more" if len(problems) > 1 else ""
    return f"the weights do not fit the architecture of config.yaml: {problems[0]}{more}"


def not_finite(tensors: Mapping[Any, Any]) -> str | None:
    """A message that names a tensor with a NaN or an infinity; None without one."""
    for name, tensor in tensors.items():
        if isinstance(tensor, Tensor) and not bool(tensor.isfinite().all()):
            return f"{str(name)[:_LONGEST]} has values that are not finite, which no run saves"
    return None


def _alike(found: Any, expected: Tensor) -> bool:
    """Whether a network can load a tensor: floats of any precision are converted."""
    if not isinstance(found, Tensor) or found.shape != expected.shape:
        return False
    if found.layout != torch.strided or found.is_meta:
        return False
    return found.dtype == expected.dtype or {found.dtype, expected.dtype} <= set(_FLOATS)


def _kind(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"[:_LONGEST]
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"[:_LONGEST]
