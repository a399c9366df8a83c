"""What may be wrong with the run folder of a stranger, one thing at a time.

`REFUSED` and `BORNE` name the command that meets each of them.
"""

import struct
from collections.abc import Callable

import torch
from mutations import (
    Mutation,
    as_nan,
    change_first,
    cut,
    flip,
    folder,
    header,
    in_checkpoint,
    in_config,
    in_json,
    in_optimizer,
    in_weights,
    link,
    newest,
    pipe,
    put,
    sparse,
)

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
_ROWS = "images_seen,train/loss\n"
_DAMAGE: dict[str, Callable[[str], Mutation]] = {
    "cut": lambda name: cut(name, 0.5),
    "nothing": lambda name: cut(name, 0),
    "noise": lambda name: put(name, bytes(range(256)) * 4),
    "a folder": folder,
}


def _damaged(name: str) -> dict[str, Mutation]:
    return {f"{name} is {title}": damage(name) for title, damage in _DAMAGE.items()}


def _not_json(name: str) -> dict[str, Mutation]:
    texts = {
        "null": "null",
        "a list": "[1, 2]",
        "empty": "{}",
        "deep": "[" * 100_000,
        "too deep to be walked": "[" * 900 + "]" * 900,
        "a huge number": '{"metrics": {"a": 1' + "0" * 5000 + '}, "stamp": {}}',
    }
    return _damaged(name) | {f"{name} is {title}": put(name, t) for title, t in texts.items()}


_FOLDER: dict[str, Mutation] = {
    **{f"{name} is a pipe": pipe(name) for name in (_W, _C, ".lock", "processes.log", "anything")},
    **{f"{name} leads away": link(name) for name in (_W, "generated", "samples", "tensorboard")},
    "weights are endless": link(_W, "/dev/zero"),
}
_CONFIG: dict[str, Mutation] = {
    **_damaged(_C),
    "config of aliases": put(_C, _BOMB),
    "config is deep": put(_C, "[" * 10_000),
    "config is a list": put(_C, "- model\n- data\n- trainer\n- seed\n"),
    "config has a tag": put(_C, "model: !!python/object/apply:os.system [x]\n"),
    "model is text": in_config("model:", "model: x\nother:"),
    "data are null": in_config("data:", "data:\nother:"),
    "trainer is a list": in_config("trainer:", "trainer: [1]\nother:"),
    "seed is text": in_config("seed: 0", "seed: zero"),
    "seed is an interpolation": in_config("seed: 0", "seed: ${oc.env:HOME}"),
    "codes are text": in_config("codes: 10", "codes: ten"),
    "codes are negative": in_config("codes: 10", "codes: -10"),
    "codes are other": in_config("codes: 10", "codes: 11"),
    "codes are many": in_config("codes: 10", "codes: 1000000000000"),
    "a target is torch.load": in_config("genlab.learners.Reconstruction", "torch.load"),
    "a target is a list": in_config("genlab.learners.Reconstruction", "[1]"),
    "a target has an escape": in_config("genlab.learners.Reconstruction", '"\\e[31m\\a\\u202e"'),
}
_RESUMED = (
    "config.yaml is cut",
    "config of aliases",
    "config has a tag",
    "model is text",
    "codes are many",
    "a target is torch.load",
    "a target has an escape",
)
_WEIGHTS: dict[str, Mutation] = {
    **_damaged(_W),
    "weights claim terabytes": sparse(_W),
    **{f"weights flipped at {share}": flip(_W, share) for share in (0.0, 0.3, 1.0)},
    "a header of terabytes": put(_W, struct.pack("<Q", 2**40) + b"{}"),
    "a header that is a list": header("[1]"),
    "a header that is deep": header("[" * 100_000),
    "a header without images": header("{}"),
    "metadata of numbers": header('{"__metadata__": {"images_seen": 5}}'),
    "an array without bytes": header(
        '{"__metadata__":{"images_seen":"5"},'
        '"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    ),
    "images less than nothing": in_weights(lambda t: None, images_seen="-5"),
    "weights with a name more": in_weights(lambda t: t.update({"x\x1b[31m": torch.zeros(1)})),
    "weights with a name less": in_weights(lambda t: t.pop(next(iter(t)))),
    "weights of another shape": in_weights(lambda t: change_first(t, lambda w: w[:1])),
    "weights of whole numbers": in_weights(lambda t: change_first(t, lambda w: w.to(torch.int32))),
    "weights that are NaN": in_weights(lambda t: change_first(t, as_nan)),
}
_SCORES: dict[str, Mutation] = {
    **_not_json(_E),
    "evaluation of text": in_json(_E, lambda e: e | {"metrics": {"recall": "x"}}),
    "evaluation of bool": in_json(_E, lambda e: e | {"metrics": {"recall": True}}),
    "evaluation of thousands": in_json(
        _E, lambda e: e | {"metrics": {str(n): n for n in range(30_000)}}
    ),
    "stamp is text": in_json(_E, lambda e: e | {"stamp": "x"}),
}
_PROGRESS: dict[str, Mutation] = {
    "checkpoints lead away": link("checkpoints"),
    "train.log leads away": link("train.log"),
    "a checkpoint is endless": lambda run: link(f"checkpoints/{newest(run).name}", "/dev/zero")(
        run
    ),
    "a checkpoint claims terabytes": lambda run: sparse(f"checkpoints/{newest(run).name}")(run),
    **_not_json(_S),
    "summary without seconds": in_json(
        _S, lambda s: {k: v for k, v in s.items() if k != "seconds"}
    ),
    "summary of a fraction": in_json(_S, lambda s: s | {"images_seen": 1.5}),
    "metrics of text": in_json(_S, lambda s: s | {"metrics": {"a": "b"}}),
    **{name: damage for name, damage in _damaged(_M).items() if not name.endswith("cut")},
    "a first line that is cut": put(_M, "images_seen,tra"),
    "rows claim terabytes": sparse(_M),
    "rows without images": put(_M, "loss\n1.0\n"),
    "rows of text": put(_M, f"{_ROWS}160,low\n"),
    "rows that descend": put(_M, f"{_ROWS}160,1\n64,1\n"),
    "rows of a fraction": put(_M, f"{_ROWS}1.5,1\n"),
    "rows of other lengths": put(_M, f"{_ROWS}160\n320,1,1\n"),
    "rows with a NUL": put(_M, f"{_ROWS}160,\0\n"),
    "signs without others": put(
        _M, "images_seen,train/near_duplicates,train/generator_gradient\n32,1,1\n64,1,1\n96,1,1\n"
    ),
}
_CHECKPOINTS: dict[str, Mutation] = {
    **{
        f"checkpoint without {key}": in_checkpoint(lambda state, key=key: state.pop(key))
        for key in ("images_seen", "state_dict", "optimizer_states", "callbacks", "loops")
    },
    **{
        f"checkpoint with {key} of text": in_checkpoint(lambda s, key=key: s.update({key: "x"}))
        for key in ("state_dict", "callbacks", "loops", "pytorch-lightning_version")
    },
    **{
        f"checkpoint with images {value}": in_checkpoint(
            lambda state, value=value: state.update(images_seen=value)
        )
        for value in (-5, True, 2**70, 319)
    },
    "loops of text": in_checkpoint(lambda s: s["loops"]["fit_loop"].update(epoch_progress="x")),
    "history of nothing": in_checkpoint(lambda s: s["callbacks"].update(History={})),
    "history of vectors": in_checkpoint(
        lambda s: s["callbacks"]["History"]["sums"].update(loss=torch.zeros(3))
    ),
    "lifecycle of NaN": in_checkpoint(
        lambda s: s["callbacks"].update(Lifecycle={"seconds": float("nan")})
    ),
    "state with a name more": in_checkpoint(lambda s: s["state_dict"].update(x=torch.zeros(1))),
    "state with a number": in_checkpoint(lambda s: change_first(s["state_dict"], lambda w: 5)),
    "state of another shape": in_checkpoint(
        lambda s: change_first(s["state_dict"], lambda w: w[:1])
    ),
    "state that is NaN": in_checkpoint(lambda s: change_first(s["state_dict"], as_nan)),
    "state that is sparse": in_checkpoint(
        lambda s: change_first(s["state_dict"], lambda w: w.to_sparse())
    ),
    "no optimizer": in_checkpoint(lambda s: s["optimizer_states"].clear()),
    "optimizer without state": in_optimizer(lambda o: o.pop("state")),
    "optimizer without groups": in_optimizer(lambda o: o.update(param_groups=[])),
    "optimizer of text": in_optimizer(lambda o: o["state"].update({0: "x"})),
    "optimizer of terabytes": in_optimizer(
        lambda o: o["state"][0].update(exp_avg=torch.zeros(1).expand(2**40))
    ),
    "optimizer that is infinite": in_optimizer(
        lambda o: o["state"][0].update(exp_avg=o["state"][0]["exp_avg"] / 0)
    ),
    "optimizer without a step": in_optimizer(lambda o: o["state"][0].pop("step")),
    "optimizer of numbered text": in_optimizer(
        lambda o: o["param_groups"][0].update(params=["a"] * len(o["param_groups"][0]["params"]))
    ),
}

REFUSED: dict[str, dict[str, Mutation]] = {
    "sample": _FOLDER | _CONFIG | _WEIGHTS,
    "best": {
        "best flipped": flip("best.safetensors", 0.7),
        "best is NaN": _WEIGHTS["weights that are NaN"],
    },
    "reconstruct": {
        "data do not exist": in_config("genlab.data.Digits", "genlab.data.Digit"),
        "validation is text": in_config("validation: 0.1", "validation: some"),
    },
    "evaluate": {"weights that are NaN": _WEIGHTS["weights that are NaN"]},
    "compare": _SCORES,
    "resume": {name: _CONFIG[name] for name in _RESUMED} | _PROGRESS | _CHECKPOINTS,
}
BORNE: dict[str, dict[str, Mutation]] = {
    "compare": {
        "evaluation of NaN": in_json(
            _E, lambda e: e | {"metrics": e["metrics"] | {"mse": float("nan")}}
        ),
        "evaluation of huge numbers": in_json(
            _E, lambda e: e | {"metrics": dict.fromkeys(e["metrics"], 1e308)}
        ),
        "evaluation with escapes": in_json(
            _E, lambda e: e | {"metrics": e["metrics"] | {"\x1b[31m": 1.0}}
        ),
    },
    "resume": {
        "a last row that is cut": put(_M, f"{_ROWS}160,1.5\n320,1."),
        "a formula for a name": put(_M, "images_seen,=1+1\n160,1\n"),
        "a callback more": in_checkpoint(lambda s: s["callbacks"].update({"x\x1b[31m": {"a": 1}})),
        "loops of nothing": in_checkpoint(lambda s: s["loops"]["fit_loop"].clear()),
    },
}
