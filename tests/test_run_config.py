"""A run's config as attributes: the tree that it was read from, defaults, and types."""

from typing import Any

import pytest
import yaml
from test_pages import composed

from genlab.config.pages import config_folder
from genlab.config.parts import names_of
from genlab.config.run import PARTS, RunConfig
from genlab.errors import CheckpointError, ConfigError
from genlab.runs.run_folder import RunFolder


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return composed("model=vae_mlp", "data=digits", "trainer=cpu", "data.batch_size=32")


def test_defaults_are_those_of_the_packaged_pages() -> None:
    page = yaml.safe_load((config_folder() / "train.yaml").read_text())
    page["trainer"] = yaml.safe_load((config_folder() / "trainer" / "auto.yaml").read_text())
    classifier = yaml.safe_load((config_folder() / "model" / "classifier.yaml").read_text())
    page |= {name: classifier[name] for name in ("encoder", "generator")}
    for name in ("trainer", "checkpoint", "samples", "log", "evaluate", "encoder", "generator"):
        default = PARTS[name]()
        assert {key: getattr(default, key) or [] for key in names_of(PARTS[name])} == {
            key: page[name].get(key) or [] for key in names_of(PARTS[name])
        }


def test_the_tree_stays_as_it_was(plain: dict[str, Any]) -> None:
    config = RunConfig.read(plain)
    assert config.plain == plain
    assert config.data.plain == plain["data"]
    assert config.trainer.accelerator == "cpu"
    assert config.data.shape == (1, 8, 8)


def test_entries_are_replaced_in_the_tree_and_beside_it(plain: dict[str, Any]) -> None:
    config = RunConfig.read(plain).replaced(data={"extra": "a.npz"}, resume="last")
    assert config.data.extra == config.plain["data"]["extra"] == "a.npz"
    assert config.resume == config.plain["resume"] == "last"
    assert config.replaced(data={"extra": None}, resume=None).plain == plain


def test_a_run_from_before_a_setting_opens_without_it(plain: dict[str, Any], tmp_path) -> None:
    older = {key: plain[key] for key in ("model", "data", "seed", "total_images")}
    older["trainer"] = {"accelerator": "cpu"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(older))
    config = RunFolder(tmp_path).config()
    assert config.plain == older
    assert config.evaluate.every_images is None
    assert config.trainer.timeout_seconds == 300


@pytest.mark.parametrize(
    ("part", "key", "value", "told"),
    [
        ("data", "flip", "yes", "data.flip='yes' should be of type bool"),
        ("data", "crop", None, "data.crop=null should be of type int"),
        ("encoder", "run", [1], r"encoder.run=\[1\] should be of type str or null"),
        ("report", "curves", "seed", "report.curves='seed' should be of type list of str"),
        ("trainer", "devices", 1.5, "trainer.devices=1.5 should be of type int or str"),
    ],
)
def test_values_of_another_type_are_refused(
    plain: dict[str, Any], tmp_path, part: str, key: str, value: object, told: str
) -> None:
    wrong = {**plain, part: {**(plain[part] or {}), key: value}}
    with pytest.raises(ConfigError, match=told):
        RunConfig.read(wrong)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(wrong))
    with pytest.raises(CheckpointError, match=rf"config.yaml: {told}"):
        RunFolder(tmp_path).config()


def test_data_need_what_all_pages_have(plain: dict[str, Any]) -> None:
    data = {key: value for key, value in plain["data"].items() if key not in ("flip", "test")}
    with pytest.raises(ConfigError, match="data lacks test, flip"):
        RunConfig.read({**plain, "data": data})
