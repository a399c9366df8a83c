"""A run goes on from its config.yaml as data: nothing that a folder holds is run or obeyed."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from test_pages import composed

from genlab.cli.arguments import quoted
from genlab.cli.resume import merged
from genlab.config.run import RunConfig
from genlab.errors import CheckpointError, ConfigError, GenlabError
from genlab.runs.run_folder import RunFolder

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return composed("model=vae_mlp", "data=digits", "trainer=cpu", "data.batch_size=32")


@pytest.fixture
def run(tmp_path: Path, stored: dict[str, Any]) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create(RunConfig.read(stored), ["model=vae_mlp", "data=digits", "trainer=cpu"])
    return folder


def test_the_stored_config_comes_back_as_it_was(run: RunFolder, stored: dict[str, Any]) -> None:
    assert merged(run, []) == stored


def test_words_are_applied_on_top(run: RunFolder) -> None:
    words = ["total_images=2000", "model.optimizer.lr=1e-5", "+report.table=[seconds]"]
    config = merged(run, [*words, "log.every_images=${samples.count}", "~model.optimizer.fused"])
    assert config["total_images"] == 2000
    assert config["model"]["optimizer"]["lr"] == 1e-5
    assert config["report"] == {"table": ["seconds"]}
    assert config["log"]["every_images"] == 64
    assert "fused" not in config["model"]["optimizer"]


def test_copies_of_a_setting_of_the_data_follow_it(run: RunFolder) -> None:
    config = merged(run, ["data.resolution=16"])
    assert config["data"]["source"]["resolution"] == 16
    assert config["model"]["autoencoder"]["encoder"]["resolution"] == 16


def test_schedules_stay_as_the_run_began_with_them(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    stored = composed("model=wae", "data=digits", "total_images=1000")
    run.create(RunConfig.read(stored), [])
    before, after = merged(run, []), merged(run, ["total_images=5000"])
    assert after["total_images"] == 5000
    assert after["model"] == before["model"]


def test_pages_of_one_node_can_be_chosen_again(run: RunFolder) -> None:
    assert merged(run, ["trainer=ddp"])["trainer"]["devices"] == "auto"
    config = merged(run, ["data=gaussian_grid"])
    assert config["data"]["source"]["_target_"] == "genlab.data.GaussianGrid"
    assert merged(run, ["model=vae_mlp", "data=digits"]) == merged(run, [])


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("model=dcgan", "stay as its config.yaml has them"),
        ("remedy=r1", "stay as its config.yaml has them"),
        ("networks=dense", "stay as its config.yaml has them"),
        ("trainer=debug", "trainer=debug also sets"),
        ("trainer=nosuch", "no such page"),
        ("hydra.run.dir=elsewhere", "a run goes on in its own folder"),
        ("hydra.sweep.dir=elsewhere", "a run goes on in its own folder"),
        ("hydra/sweeper=optuna", "a run goes on in its own folder"),
        ("total_image=5", "did you mean total_images?"),
        ("total_images=many", "many"),
        ("total_images=1,2", "give a single value"),
        ("+total_images=3", "already"),
        ("model.optimizer._target_=os.system", "_target_ os.system is refused"),
        ("model.beta=null", "model.beta=null should be of type"),
        ("total_images=0", "must be at least 1"),
        ("seed=${nothing}", "nothing"),
    ],
)
def test_words_that_cannot_be_applied_are_said(run: RunFolder, word: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        merged(run, [word])
    assert told in str(caught.value)


def at(path: str, value: object) -> Edit:
    """An edit that sets the dotted path."""
    *parents, last = path.split(".")

    def edit(config: dict[str, Any]) -> None:
        node = config
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value

    return edit


WRONG: tuple[object, ...] = ([], [1], {}, {"a": 1}, "word", -1, 1e300, 10**30, True, float("nan"))
PLACES = ("seed", "total_images", "checkpoint", "checkpoint.keep", "samples.count", "log", "data")
PLACES += ("model", "trainer", "trainer.devices", "data.source", "model.optimizer", "encoder")
PLACES += ("data.batch_size", "model.autoencoder", "model.autoencoder.encoder.widths", "generator")
EVIL: dict[str, Edit] = {
    "a callback": at("hydra.callbacks.x", {"_target_": "torch.load", "f": "x"}),
    "the environment": at("model.note", "${oc.env:HOME}"),
    "an interpolation": at("data.source.path", "${hydra:runtime.cwd}"),
    "an unknown key": at("nosuch", 1),
    "a key of the trainer": at("trainer.callbacks", [{"_target_": "os.system"}]),
    "os.system": at("model.optimizer", {"_target_": "os.system", "command": "touch evil"}),
    "collect_env": at("data.source", {"_target_": "torch.utils.collect_env.run", "command": "ls"}),
    "no source": at("data.source", {"_target_": "torch.nn.Identity"}),
    "nested": at("model.autoencoder.encoder._target_", "subprocess.run"),
    "a number as target": at("model._target_", 3),
    "no learner": at("model", {"_target_": "torch.nn.Identity"}),
    "a key that is a number": at("model", {3: 4}),
    "a date": at("seed", __import__("datetime").date(2020, 1, 1)),
    "bytes": at("model.note", b"\x00"),
    "a missing value": at("data.source.path", "???"),
    "an encoder": at("encoder", {"run": 3, "page": "x", "layer": "codes", "pretrained": True}),
    "words for a page": at("generator", {"run": None, "page": "cgan", "overrides": {"a": 1}}),
    "too many pictures": at("samples.count", 10**9),
}


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_config_is_refused_with_its_file(run: RunFolder, stored, name: str) -> None:
    config = yaml.safe_load(yaml.safe_dump(stored))
    EVIL[name](config)
    run.config_file.write_text(yaml.safe_dump(config))
    refused(run)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", WRONG, ids=str)
def test_a_value_of_another_type_is_taken_or_refused(
    run: RunFolder, stored, place: str, value: object
) -> None:
    config = yaml.safe_load(yaml.safe_dump(stored))
    at(place, value)(config)
    run.config_file.write_text(yaml.safe_dump(config))
    try:
        merged(run, [])
    except GenlabError as error:
        assert_one_line(error, run)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "a: 1\na: 2",
        "- 1",
        "\x00",
        "!!python/object/apply:os.system [touch evil]",
        "model: !!python/name:os.system",
        "a: &a [1]\nb: [*a, *a]",
        "[" * 100_000,
        "{a: " * 5_000,
        "a" * 2_000_000,
        "a: " + "9" * 10_000,
        "? [1, 2]\n: 3",
    ],
    ids=lambda text: text[:20],
)
def test_yaml_that_is_no_config_is_refused_at_once(run: RunFolder, text: str) -> None:
    run.config_file.write_text(text)
    started = time.monotonic()
    refused(run)
    assert time.monotonic() - started < 5


def refused(run: RunFolder) -> None:
    with pytest.raises(CheckpointError) as caught:
        merged(run, [])
    assert_one_line(caught.value, run)


def assert_one_line(error: GenlabError, run: RunFolder) -> None:
    assert isinstance(error, CheckpointError)
    assert str(run.config_file) in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 300 + len(str(run.config_file))


@pytest.mark.parametrize(
    "words",
    [
        ["+hydra.callbacks.x={_target_:torch.load,f:evil}"],
        ["hydra.callbacks={x:{_target_:torch.utils.collect_env.run,command:touch evil}}"],
        ["+hydra.job.env_set.PATH=/evil"],
        ["--config-dir=evil", "model=evil"],
        ["--multirun", "hydra.sweep.dir=evil", "seed=1,2"],
        ["hydra.output_subdir=evil"],
        ["hydra.run.dir=evil"],
        ["+model.note=${oc.env:HOME}"],
        {"not": "a list"},
        [[1, {"a": 2}]],
    ],
    ids=str,
)
def test_the_record_of_overrides_is_never_obeyed(run: RunFolder, words: Any) -> None:
    before = merged(run, [])
    run.overrides_file.write_text(yaml.safe_dump(words))
    assert merged(run, []) == before


@pytest.mark.parametrize(
    "name", ["my run", "it's", "a=b", "a,b", "(c)", "{d}", "[e]", 'f"g', "#h", "日本", "\\", "-i"]
)
def test_any_folders_name_reaches_hydra_whole(name: str) -> None:
    word = quoted(f"hydra.run.dir={name}")
    assert OverridesParser.create().parse_override(word).value() == name


def test_a_folder_with_an_odd_name_is_gone_on_with(genlab, tmp_path: Path) -> None:
    name = "it's, (a) = #1 {日本}"
    words = ["model=vae_mlp", "data=digits", "trainer=cpu", "samples.count=1"]
    code, _, err = genlab("train", *words, "total_images=64", f"hydra.run.dir={name}")
    assert (code, err) == (0, "")
    code, out, err = genlab("train", f"resume={name}", "total_images=128", f"hydra.run.dir={name}")
    assert (code, err) == (0, "")
    assert str(tmp_path / name) in out
    code, out, err = genlab("train", f"resume={name}", "seed=7", "--cfg", "job")
    assert (code, err) == (0, "")
    assert yaml.safe_load(out)["seed"] == 7
