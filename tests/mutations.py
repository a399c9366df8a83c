"""Ways to spoil the files of a run folder."""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

Mutation = Callable[[Path], object]


def put(name: str, content: str | bytes) -> Mutation:
    """The file holds something else."""
    data = content.encode() if isinstance(content, str) else content
    return lambda run: (run / name).write_bytes(data)


def cut(name: str, share: float) -> Mutation:
    return lambda run: os.truncate(run / name, int((run / name).stat().st_size * share))


def flip(name: str, share: float) -> Mutation:
    def mutate(run: Path) -> None:
        content = bytearray((run / name).read_bytes())
        content[int(share * (len(content) - 1))] ^= 16
        (run / name).write_bytes(content)

    return mutate


def pipe(name: str) -> Mutation:
    def mutate(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)

    return mutate


def link(name: str, target: str | None = None) -> Mutation:
    """What a run has there lies outside, behind a link; or another thing does."""

    def mutate(run: Path) -> None:
        path, outside = run / name, run.with_name("outside")
        if outside.is_dir():
            shutil.rmtree(outside)
        outside.unlink(missing_ok=True)
        path.rename(outside) if path.exists() else outside.touch()
        path.symlink_to(target or outside)

    return mutate


def folder(name: str) -> Mutation:
    def mutate(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        (run / name).mkdir()

    return mutate


def sparse(name: str) -> Mutation:
    """A file that claims a hundred terabytes."""

    def mutate(run: Path) -> None:
        with (run / name).open("r+b") as file:
            file.truncate(10**13)

    return mutate


def in_json(name: str, change: Callable[[Any], Any]) -> Mutation:
    def mutate(run: Path) -> None:
        content = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps(change(content)))

    return mutate


def in_config(old: str, new: str) -> Mutation:
    def mutate(run: Path) -> None:
        text = (run / "config.yaml").read_text()
        assert old in text
        (run / "config.yaml").write_text(text.replace(old, new, 1))

    return mutate


def newest(run: Path) -> Path:
    """The checkpoint of a run."""
    return max((run / "checkpoints").glob("*.ckpt"))


def in_checkpoint(change: Callable[[dict[str, Any]], object]) -> Mutation:
    """Another state, with the hash that belongs to it."""

    def mutate(run: Path) -> None:
        path = newest(run)
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)
        path.with_suffix(".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())

    return mutate


def in_weights(change: Callable[[dict[str, Any]], object], **metadata: str) -> Mutation:
    """Other tensors, in files without a hash, as they were once."""

    def mutate(run: Path) -> None:
        for name in ("weights.safetensors", "best.safetensors"):
            tensors = load((run / name).read_bytes())
            change(tensors)
            content = save(tensors, metadata={"images_seen": "320"} | metadata)
            (run / name).write_bytes(content)

    return mutate


def header(text: str) -> Mutation:
    return put("weights.safetensors", struct.pack("<Q", len(text)) + text.encode() + b"\0" * 8)


def change_first(tensors: dict[str, Any], change: Callable[[Any], Any]) -> None:
    name = next(iter(tensors))
    tensors[name] = change(tensors[name])


def as_nan(tensor: torch.Tensor) -> torch.Tensor:
    return torch.full_like(tensor, float("nan"))


def in_optimizer(change: Callable[[dict[str, Any]], object]) -> Mutation:
    return in_checkpoint(lambda state: change(state["optimizer_states"][0]))
