"""What may be wrong with the run folder of a stranger, one thing at a time."""

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


def _put(name: str, content: str | bytes) -> Mutation:
    """The file holds something else."""
    data = content.encode() if isinstance(content, str) else content
    return lambda run: (run / name).write_bytes(data)


def _cut(name: str, share: float) -> Mutation:
    return lambda run: os.truncate(run / name, int((run / name).stat().st_size * share))


def _flip(name: str, share: float) -> Mutation:
    def mutate(run: Path) -> None:
        content = bytearray((run / name).read_bytes())
        content[int(share * (len(content) - 1))] ^= 16
        (run / name).write_bytes(content)

    return mutate


def _pipe(name: str) -> Mutation:
    def mutate(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)

    return mutate


def _link(name: str, target: str | None = None) -> Mutation:
    """What a run has there lies outside, behind a link; or another thing does."""

    def mutate(run: Path) -> None:
        path, outside = run / name, run.with_name("outside")
        if outside.is_dir():
            shutil.rmtree(outside)
        outside.unlink(missing_ok=True)
        path.rename(outside) if path.exists() else outside.touch()
        path.symlink_to(target or outside)

    return mutate


def _folder(name: str) -> Mutation:
    def mutate(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        (run / name).mkdir()

    return mutate


def _sparse(name: str) -> Mutation:
    """A file that claims a hundred terabytes."""

    def mutate(run: Path) -> None:
        with (run / name).open("r+b") as file:
            file.truncate(10**13)

    return mutate


def _json(name: str, change: Callable[[Any], Any]) -> Mutation:
    def mutate(run: Path) -> None:
        content = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps(change(content)))

    return mutate


def _yaml(old: str, new: str) -> Mutation:
    def mutate(run: Path) -> None:
        text = (run / "config.yaml").read_text()
        assert old in text
        (run / "config.yaml").write_text(text.replace(old, new, 1))

    return mutate


def newest(run: Path) -> Path:
    """The checkpoint of a run."""
    return max((run / "checkpoints").glob("*.ckpt"))


def _checkpoint(change: Callable[[dict[str, Any]], object]) -> Mutation:
    """Another state, with the hash that belongs to it."""

    def mutate(run: Path) -> None:
        path = newest(run)
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)
        path.with_suffix(".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())

    return mutate


def _weights(change: Callable[[dict[str, Any]], object], **metadata: str) -> Mutation:
    """Other tensors, in files without a hash, as they were once."""

    def mutate(run: Path) -> None:
        for name in ("weights.safetensors", "best.safetensors"):
            tensors = load((run / name).read_bytes())
            change(tensors)
            content = save(tensors, metadata={"images_seen": "320"} | metadata)
            (run / name).write_bytes(content)

    return mutate


def _header(text: str) -> Mutation:
    return _put("weights.safetensors", struct.pack("<Q", len(text)) + text.encode() + b"\0" * 8)


def _first(tensors: dict[str, Any], change: Callable[[Any], Any]) -> None:
    name = next(iter(tensors))
    tensors[name] = change(tensors[name])


def _nan(tensor: torch.Tensor) -> torch.Tensor:
    return torch.full_like(tensor, float("nan"))


def _optimizer(change: Callable[[dict[str, Any]], object]) -> Mutation:
    return _checkpoint(lambda state: change(state["optimizer_states"][0]))


_W, _S, _E, _M, _C = (
    "weights.safetensors",
    "summary.json",
    "evaluation.json",
    "metrics.csv",
    "config.yaml",
)
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join('*' + a for _ in range(9))}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

MUTATIONS: dict[str, Mutation] = {
    # links and special files, wherever a run reads or writes
    **{
        f"{name} is a pipe": _pipe(name)
        for name in (_W, _S, _E, _M, _C, ".lock", "train.log", "torchrun.log", "anything")
    },
    **{
        f"{name} leads away": _link(name)
        for name in (
            *(_W, _S, _M, ".lock", "train.log", "generated", "samples", "tensorboard"),
            *("checkpoints", "reconstructions"),
        )
    },
    "weights are endless": _link(_W, "/dev/zero"),
    "a checkpoint is endless": lambda run: _link(f"checkpoints/{newest(run).name}", "/dev/zero")(
        run
    ),
    **{f"{name} is a folder": _folder(name) for name in (_W, _S, _E, _M, _C)},
    "weights claim terabytes": _sparse(_W),
    "metrics claim terabytes": _sparse(_M),
    "a checkpoint claims terabytes": lambda run: _sparse(f"checkpoints/{newest(run).name}")(run),
    # damage
    **{
        f"{name} is cut at {share}": _cut(name, share)
        for name in (_W, _S, _E, _M, _C)
        for share in (0.0, 0.5, 0.99)
    },
    **{f"weights flipped at {share}": _flip(_W, share) for share in (0.0, 1e-4, 0.3, 1.0)},
    "best flipped": _flip("best.safetensors", 0.7),
    **{f"{name} is noise": _put(name, bytes(range(256)) * 4) for name in (_W, _S, _E, _M, _C)},
    # config.yaml
    "config of aliases": _put(_C, _BOMB),
    "config is deep": _put(_C, "[" * 10_000),
    "config is a list": _put(_C, "- model\n- data\n- trainer\n- seed\n"),
    "config has a tag": _put(_C, "model: !!python/object/apply:os.system [x]\n"),
    "model is text": _yaml("model:", "model: x\nother:"),
    "data is null": _yaml("data:", "data:\nother:"),
    "trainer is a list": _yaml("trainer:", "trainer: [1]\nother:"),
    "seed is text": _yaml("seed: 0", "seed: zero"),
    "seed is an interpolation": _yaml("seed: 0", "seed: ${oc.env:HOME}"),
    "widths are null": _yaml("widths:", "widths: null\nother:".replace("\n", "\n      ")),
    "codes are text": _yaml("codes: 10", "codes: ten"),
    "codes are negative": _yaml("codes: 10", "codes: -10"),
    "codes are other": _yaml("codes: 10", "codes: 11"),
    "codes are many": _yaml("codes: 10", "codes: 1000000000000"),
    "resolution is text": _yaml("resolution: 8", "resolution: eight"),
    "a target is torch.load": _yaml("genlab.learners.Reconstruction", "torch.load"),
    "a target is a list": _yaml("genlab.learners.Reconstruction", "[1]"),
    "a target has an escape": _yaml("genlab.learners.Reconstruction", '"\\e[31m\\a\\u202e"'),
    "data are text": _yaml("_target_: genlab.data.Digits", "_target_: genlab.data.Digit"),
    "validation is text": _yaml("validation: 0.1", "validation: some"),
    # JSON and CSV
    **{
        f"{name} is {title}": _put(name, text)
        for name in (_S, _E)
        for title, text in {
            "null": "null",
            "a list": "[1, 2]",
            "empty": "{}",
            "deep": "[" * 100_000,
            "deeper than can be walked": "[" * 900 + "]" * 900,
            "a huge number": '{"metrics": {"a": 1' + "0" * 5000 + '}, "stamp": {}}',
        }.items()
    },
    "summary without seconds": _json(_S, lambda s: {k: v for k, v in s.items() if k != "seconds"}),
    "summary of text": _json(_S, lambda s: s | {"images_seen": "many"}),
    "summary of a fraction": _json(_S, lambda s: s | {"images_seen": 1.5}),
    "summary of less than nothing": _json(_S, lambda s: s | {"images_seen": -1}),
    "metrics of text": _json(_S, lambda s: s | {"metrics": {"a": "b"}}),
    "evaluation of text": _json(_E, lambda e: e | {"metrics": {"recall": "x"}}),
    "evaluation of bool": _json(_E, lambda e: e | {"metrics": {"recall": True}}),
    "evaluation of NaN": _json(_E, lambda e: e | {"metrics": e["metrics"] | {"mse": float("nan")}}),
    "evaluation of huge numbers": _json(
        _E, lambda e: e | {"metrics": dict.fromkeys(e["metrics"], 1e308)}
    ),
    "evaluation of thousands": _json(
        _E, lambda e: e | {"metrics": {str(n): n for n in range(30_000)}}
    ),
    "evaluation with escapes": _json(
        _E, lambda e: e | {"metrics": e["metrics"] | {"\x1b[31m": 1.0}}
    ),
    "stamp is text": _json(_E, lambda e: e | {"stamp": "x"}),
    "rows without images": _put(_M, "loss\n1.0\n"),
    "rows of text": _put(_M, "images_seen,train/loss\n160,low\n"),
    "rows that descend": _put(_M, "images_seen,train/loss\n160,1\n64,1\n"),
    "rows of a fraction": _put(_M, "images_seen,train/loss\n1.5,1\n"),
    "rows of other lengths": _put(_M, "images_seen,train/loss\n160\n320,1,1\n"),
    "rows with a NUL": _put(_M, "images_seen,train/loss\n160,\0\n"),
    "a formula for a name": _put(_M, "images_seen,=1+1\n160,1\n"),
    "signs without others": _put(
        _M, "images_seen,train/near_duplicates,train/generator_gradient\n32,1,1\n64,1,1\n96,1,1\n"
    ),
    # safetensors
    "a header of terabytes": _put(_W, struct.pack("<Q", 2**40) + b"{}"),
    "a header of nothing": _put(_W, struct.pack("<Q", 0)),
    "a header that is a list": _header("[1]"),
    "a header that is deep": _header("[" * 100_000),
    "a header without images": _header("{}"),
    "metadata of numbers": _header('{"__metadata__": {"images_seen": 5}}'),
    "an array without bytes": _header(
        '{"__metadata__":{"images_seen":"5"},'
        '"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    ),
    "images less than nothing": _weights(lambda t: None, images_seen="-5"),
    "images of words": _weights(lambda t: None, images_seen="many"),
    "images too many": _weights(lambda t: None, images_seen="9" * 5000),
    "weights with a name more": _weights(lambda t: t.update({"x\x1b[31m": torch.zeros(1)})),
    "weights with a name less": _weights(lambda t: t.pop(next(iter(t)))),
    "weights of another shape": _weights(lambda t: _first(t, lambda w: w.flatten())),
    "weights of whole numbers": _weights(lambda t: _first(t, lambda w: w.to(torch.int32))),
    "weights that are NaN": _weights(lambda t: _first(t, _nan)),
    "weights that are infinite": _weights(lambda t: _first(t, lambda w: w / 0)),
    # checkpoints, whose hashes are right
    **{
        f"checkpoint without {key}": _checkpoint(lambda state, key=key: state.pop(key))
        for key in (
            *("images_seen", "state_dict", "optimizer_states", "callbacks", "loops", "epoch"),
            *("pytorch-lightning_version", "lr_schedulers", "global_step"),
        )
    },
    **{
        f"checkpoint with {key} of text": _checkpoint(
            lambda state, key=key: state.update({key: "x"})
        )
        for key in (
            *("images_seen", "state_dict", "optimizer_states", "callbacks", "loops", "epoch"),
            *("pytorch-lightning_version", "lr_schedulers", "global_step"),
        )
    },
    **{
        f"checkpoint with images {value}": _checkpoint(
            lambda state, value=value: state.update(images_seen=value)
        )
        for value in (-5, 1.5, True, None, 2**70, 319)
    },
    "loops of nothing": _checkpoint(lambda s: s["loops"]["fit_loop"].clear()),
    "loops of text": _checkpoint(lambda s: s["loops"]["fit_loop"].update(epoch_progress="x")),
    "loops of None": _checkpoint(
        lambda s: s["loops"]["fit_loop"]["epoch_progress"].update(current=None)
    ),
    "history of text": _checkpoint(lambda s: s["callbacks"].update(History={"sums": "x"})),
    "history of nothing": _checkpoint(lambda s: s["callbacks"].update(History={})),
    "history of vectors": _checkpoint(
        lambda s: s["callbacks"]["History"]["sums"].update(loss=torch.zeros(3))
    ),
    "history of other names": _checkpoint(lambda s: s["callbacks"]["History"]["counts"].popitem()),
    "lifecycle of text": _checkpoint(lambda s: s["callbacks"].update(Lifecycle={"seconds": "x"})),
    "lifecycle of NaN": _checkpoint(
        lambda s: s["callbacks"].update(Lifecycle={"seconds": float("nan")})
    ),
    "a callback more": _checkpoint(lambda s: s["callbacks"].update({"x\x1b[31m": {"a": 1}})),
    "evaluation of no stamp": _checkpoint(lambda s: s["callbacks"].update(Evaluation={})),
    "state with a name more": _checkpoint(lambda s: s["state_dict"].update(x=torch.zeros(1))),
    "state with a number": _checkpoint(lambda s: _first(s["state_dict"], lambda w: 5)),
    "state of another shape": _checkpoint(lambda s: _first(s["state_dict"], lambda w: w[:1])),
    "state that is NaN": _checkpoint(lambda s: _first(s["state_dict"], _nan)),
    "state that is sparse": _checkpoint(lambda s: _first(s["state_dict"], lambda w: w.to_sparse())),
    "no optimizer": _checkpoint(lambda s: s["optimizer_states"].clear()),
    "optimizer without state": _optimizer(lambda o: o.pop("state")),
    "optimizer without groups": _optimizer(lambda o: o.update(param_groups=[])),
    "optimizer of text": _optimizer(lambda o: o["state"].update({0: "x"})),
    "optimizer of other names": _optimizer(lambda o: o["state"].update({"x": {}})),
    "optimizer of other shapes": _optimizer(
        lambda o: o["state"][0].update(exp_avg=torch.zeros(3, 3))
    ),
    "optimizer of terabytes": _optimizer(
        lambda o: o["state"][0].update(exp_avg=torch.zeros(1).expand(2**40))
    ),
    "optimizer that is infinite": _optimizer(
        lambda o: o["state"][0].update(exp_avg=o["state"][0]["exp_avg"] / 0)
    ),
    "optimizer without a step": _optimizer(lambda o: o["state"][0].pop("step")),
    "optimizer of other parameters": _optimizer(lambda o: o["param_groups"][0]["params"].pop()),
    "optimizer of numbered text": _optimizer(
        lambda o: o["param_groups"][0].update(params=["a"] * len(o["param_groups"][0]["params"]))
    ),
}
