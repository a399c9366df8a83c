from types import ModuleType

import pytest
import torch

from genlab.config.parts import flatten
from genlab.config.schema import build, check, locate
from genlab.errors import ConfigError
from genlab.networks import dense

HOSTILE = [
    "os.system",
    "subprocess.run",
    "builtins.eval",
    "builtins.exec",
    "builtins.open",
    "shutil.rmtree",
    "pathlib.Path.unlink",
    "pickle.loads",
    "importlib.import_module",
    "torch.load",
    "torch.save",
    "torch.hub.load",
    "torch.jit.load",
    "torch.ops.load_library",
    "torch.serialization.load",
    "torch.utils.cpp_extension.load_inline",
    "torch.nn.modules.module.torch.load",
    "torch.nn.torch.load",
    "torch.nn.init.os.system",
    "torch.nn.parallel.distributed.logging.shutdown",
    "torch.optim.optimizer.torch.load",
    "torch.nn.functional.relu",
    "genlab.data.cache.shutil.rmtree",
    "genlab.data.cache.prepare",
    "genlab.data.cache._discard",
    "genlab.data.cache.os.remove",
    "genlab.cli.main.main",
    "genlab.jobs.train.train",
    "genlab.runs.run_folder.RunFolder",
    "genlab.processes.children.run_processes",
    "genlab.learners.learner.seed_noise",
    "genlab.networks.layers.initialise_weights",
    "genlab.objectives.adversarial.F.softplus",
    "genlab.objectives..adversarial.minimax",
    "genlab.objectives.adversarial.__builtins__.eval",
    "",
    3,
    None,
]


@pytest.mark.parametrize("target", HOSTILE)
def test_targets_outside_the_list_are_refused(target: object) -> None:
    with pytest.raises(ConfigError, match="_target_"):
        locate(target)


@pytest.mark.parametrize(
    "target",
    [
        "genlab.networks.dense.Encoder",
        "genlab.objectives.adversarial.minimax",
        "genlab.schedules.Ramp",
        "genlab.learners.Adversarial",
        "genlab.data.Digits",
        "torch.nn.Linear",
        "torch.optim.Adam",
    ],
)
def test_targets_of_the_list_are_found(target: str) -> None:
    assert callable(locate(target))


def test_a_near_miss_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean minimax"):
        locate("genlab.objectives.adversarial.minmax")


def test_all_misfits_are_reported_at_once_with_their_paths() -> None:
    encoder = {"_target_": "genlab.networks.dense.Encoder", "resolution": "8", "channel": 1}
    config = {
        "model": {"encoder": encoder, "loss": {"_target_": "torch.load"}},
        "data": {"source": {"_target_": "genlab.data.Digits", "resolution": 8}},
    }
    with pytest.raises(ConfigError) as caught:
        check(config)
    message = str(caught.value)
    assert (
        "model.encoder.channel: Encoder takes no such argument; did you mean channels?" in message
    )
    assert "model.encoder: Encoder needs channels" in message
    assert "model.encoder: Encoder needs widths" in message
    assert "model.encoder.resolution='8' should be of type int" in message
    assert "model.loss: _target_ torch.load is refused" in message
    assert "data.source: Digits needs channels" in message


def test_build_makes_children_partials_and_plain_values() -> None:
    node = {
        "_target_": "genlab.networks.dense.Encoder",
        "resolution": 8,
        "channels": 1,
        "widths": [4],
    }
    optimizer = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.5}
    built = build({"network": node, "optimizer": optimizer, "items": [1, "two", None]}, "x")
    assert isinstance(built["network"], dense.Encoder)
    assert built["optimizer"]([torch.nn.Parameter(torch.zeros(1))]).defaults["lr"] == 0.5
    assert built["items"] == [1, "two", None]


def test_a_constructors_complaint_carries_the_path() -> None:
    node = {"_target_": "genlab.schedules.Ramp", "end": 1.0, "images": 0}
    with pytest.raises(ConfigError, match=r"^model\.rate\.images=0 must be at least 1"):
        build({"rate": node}, "model")
    optimizer = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": -1.0}
    later = build({"optimizer": optimizer}, "model")["optimizer"]
    with pytest.raises(ConfigError, match=r"^model\.optimizer: Invalid learning rate"):
        later([torch.nn.Parameter(torch.zeros(1))])


@pytest.mark.parametrize("module", [torch.nn, torch.optim, torch.optim.lr_scheduler])
def test_whatever_is_named_is_used_or_refused(module: ModuleType) -> None:
    for name in dir(module):
        node = {"_target_": f"{module.__name__}.{name}"}
        for path in ("reconstruction", "autoencoder", "beta"):
            config = {"model": {"_target_": "genlab.learners.Reconstruction", path: node}}
            with pytest.raises(ConfigError, match=r"^model"):
                check(config)


def test_arguments_of_another_kind_are_named() -> None:
    model = {
        "_target_": "genlab.learners.Reconstruction",
        "reconstruction": {"_target_": "torch.nn.Module"},
        "beta": None,
        "stages": None,
        "rate": {"_target_": "genlab.schedules.Constant", "value": "much"},
    }
    with pytest.raises(ConfigError) as caught:
        check({"model": model})
    message = str(caught.value)
    assert "model.reconstruction: Module is not a Likelihood" in message
    assert "model.beta=null should be of type float" in message
    assert "model.rate.value='much' should be of type float" in message
    assert "stages" not in message


def test_a_hint_names_only_what_is_allowed() -> None:
    with pytest.raises(ConfigError) as caught:
        locate("torch.nn.init.os")
    assert str(caught.value) == "_target_ torch.nn.init.os does not exist"


def test_flatten_gives_dotted_leaves() -> None:
    assert dict(flatten({"a": {"b": 1, "c": {}}, "d": [1]})) == {"a.b": 1, "a.c": {}, "d": [1]}
