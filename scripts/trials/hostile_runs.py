"""Run folders that a stranger could send: words, configs, links, damaged files."""

import hashlib
import io
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import yaml

from trials.case import CODE, EVIL_PAGE, RESUME, VERBS, Case, put, write_page


def cases() -> Iterator[Case]:
    """Every case that is a run folder."""
    yield from _replayed_words()
    yield from _configs()
    yield from _links()
    yield from _damaged()


class _Bomb:
    """Unpickling it makes the canary."""

    def __reduce__(self) -> Any:
        return exec, (CODE,)


def _replayed_words() -> Iterator[Case]:
    words = (
        "+hydra.callbacks.x={_target_:torch.load,f:run/bomb.pt,weights_only:false}",
        "+hydra.callbacks.x._target_=torch.utils.collect_env.run",
        "+hydra.job.env_set.PATH=run/bin",
        "+hydra.job.env_set.PYTHONPATH=run",
        "hydra.output_subdir=../../outside",
        "hydra.sweep.dir=../outside",
        "--multirun",
        "--config-dir=run/pages",
        "hydra/job_logging=default",
        "hydra.job_logging.handlers.file.filename=../victim",
        "hydra.run.dir=../outside",
        "+data.leak=${oc.env:SECRET}",
        "data.path=${oc.env:SECRET}",
        "model.loss._target_=os.system",
        "--config-name=evil",
        "hydra.searchpath=[file://run/pages]",
    )

    def writer(word: str) -> Callable[[Path], None]:
        def prepare(place: Path) -> None:
            file = place / "run" / "overrides.yaml"
            old = yaml.safe_load(file.read_text()) if file.exists() else []
            file.write_text(yaml.safe_dump([*old, word]))
            torch.save(_Bomb(), place / "run" / "bomb.pt")
            (place / "run" / "bin").mkdir()
            git = place / "run" / "bin" / "git"
            git.write_text('#!/bin/sh\ntouch "$CANARY"\n')
            git.chmod(0o755)
            (place / "run" / "sitecustomize.py").write_text(CODE)
            write_page(place / "run" / "pages", "model/vae", EVIL_PAGE)

        return prepare

    for word in words:
        yield Case(f"word {word}", writer(word), RESUME, True)


def _edited(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def prepare(place: Path) -> None:
        file = place / "run" / "config.yaml"
        config = yaml.safe_load(file.read_text())
        changed = change(config)
        file.write_text(yaml.safe_dump(config if changed is None else changed))

    return prepare


def _configs() -> Iterator[Case]:
    def setting(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
        def change(config: dict[str, Any]) -> None:
            *parents, last = path.split(".")
            node: Any = config
            for name in parents:
                node = node.setdefault(name, {})
            node[last] = value

        return change

    targets = (
        "os.system",
        "subprocess.Popen",
        "torch.load",
        "torch.hub.load",
        "builtins.exec",
        "torch.utils.collect_env.run",
        "genlab.data.cache.shutil.rmtree",
        "genlab.learners.learner.torch.load",
        "torch.nn.modules.module.torch",
        "torch.optim.lr_scheduler.types.FunctionType",
    )
    changes: list[tuple[str, Callable[[dict[str, Any]], Any]]] = []
    for target in targets:
        for path in ("model.autoencoder", "model.optimizer", "data.source"):
            changes.append(
                (f"{path}={target}", setting(path, {"_target_": target, "command": "id"}))
            )
    for path in ("model", "data", "trainer", "seed", "total_images", "checkpoint", "samples"):
        for value in ([], "x", -1, None, float("nan"), 10**30, {"a": 1}):
            changes.append((f"{path}={value!r}", setting(path, value)))
    for path in ("data.resolution", "data.batch_size", "data.source.path", "trainer.precision"):
        for value in ([], -1, "${oc.env:SECRET}", 10**12, True, "x" * 10_000):
            changes.append((f"{path}={str(value)[:20]}", setting(path, value)))
    changes += [
        ("hydra", setting("hydra", {"callbacks": {"x": {"_target_": "os.system"}}})),
        ("interpolation", setting("model.note", "${oc.env:SECRET}")),
        ("list", lambda config: [config]),
        ("nothing", lambda config: {}),
    ]
    for number, (name, change) in enumerate(changes):
        verb = VERBS[number % len(VERBS)]
        key = "resume" if verb[0] == "train" else "run"
        yield Case(
            f"config {name}", _edited(change), (verb[0], f"{key}=run", *verb[1:]), harmless=True
        )

    def text(content: str) -> Callable[[Path], None]:
        return lambda place: put(place / "run" / "config.yaml", content.encode())

    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    for name, content in (
        ("aliases", bomb),
        ("deep", "model: " + "[" * 50_000),
        ("tag", "model: !!python/object/apply:os.system ['touch $CANARY']\n"),
        ("long", "a: 1\n" * 2_000_000),
        ("binary", "\0\1\2"),
        ("empty", ""),
    ):
        yield Case(f"config.yaml {name}", text(content), ("sample", "run=run", "count=2"))


def _links() -> Iterator[Case]:
    def linked(name: str, target: str) -> Callable[[Path], None]:
        def prepare(place: Path) -> None:
            path = place / "run" / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            if target == "pipe":
                os.mkfifo(path)
            else:
                path.symlink_to(target)

        return prepare

    names = (
        ".lock",
        "train.log",
        "metrics.csv",
        "summary.json",
        "config.yaml",
        "weights.safetensors",
    )
    for name in (*names, "samples", "reconstructions", "generated", "tensorboard", "checkpoints"):
        for target in ("../../victim", "../../outside", "pipe", "/dev/zero"):
            verb = RESUME
            if name in ("weights.safetensors", "generated", "summary.json"):
                verb = ("sample", "run=run", "count=2")
            yield Case(f"{name} -> {target}", linked(name, target), verb)


def _damaged() -> Iterator[Case]:
    def damaged(name: str, how: Callable[[bytes], bytes]) -> Callable[[Path], None]:
        def prepare(place: Path) -> None:
            for file in sorted((place / "run").glob(name)):
                file.write_bytes(how(file.read_bytes()))

        return prepare

    def flipped(content: bytes) -> bytes:
        changed = bytearray(content)
        for place in range(40, len(changed), max(len(changed) // 7, 1)):
            changed[place] ^= 0x41
        return bytes(changed)

    ways = {
        "cut": lambda content: content[: len(content) // 2],
        "empty": lambda content: b"",
        "flipped": flipped,
        "zeros": lambda content: bytes(len(content)),
        "html": lambda content: b"<html>not found</html>",
        "json": lambda content: b'{"a": [1, {"b": null}]}',
        "deep": lambda content: b"[" * 200_000,
        "pickle": lambda content: _pickle(),
    }
    for name in (
        "weights.safetensors",
        "summary.json",
        "metrics.csv",
        "checkpoints/*.ckpt",
        "data.json",
    ):
        for way, how in ways.items():
            for verb in (VERBS[0], VERBS[4]):
                key = "resume" if verb[0] == "train" else "run"
                words = (verb[0], f"{key}=run", *verb[1:])
                yield Case(f"{name} {way}", damaged(name, how), words, harmless=True)

    def header(length: int, content: bytes) -> bytes:
        return struct.pack("<Q", length) + content

    for name, content in (
        ("huge header", header(2**40, b"{}")),
        ("nested", header(100_000, b'{"a":' * 20_000)),
        ("other", header(2, b"{}")),
    ):
        how = (lambda c: lambda _: c)(content)
        yield Case(f"weights {name}", damaged("weights.safetensors", how), ("sample", "run=run"))

    def poisoned(place: Path) -> None:
        from safetensors import safe_open
        from safetensors.torch import load_file, save_file

        file = place / "run" / "weights.safetensors"
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata()
        tensors = load_file(file)
        first = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
        tensors[first] = torch.full_like(tensors[first], float("nan"))
        save_file(tensors, file, metadata=metadata)

    for verb in VERBS[:4]:
        yield Case("weights NaN", poisoned, (verb[0], "run=run", *verb[1:]))

    def signed(place: Path) -> None:
        """A checkpoint that runs code when unpickled, with a hash that fits."""
        for file in (place / "run" / "checkpoints").glob("*.ckpt"):
            file.write_bytes(_pickle())
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            file.with_suffix(".sha256").write_text(digest + "\n")

    yield Case("checkpoint runs code", signed, RESUME)


def _pickle() -> bytes:
    content = io.BytesIO()
    torch.save({"images_seen": 16, "state_dict": _Bomb()}, content)
    return content.getvalue()
