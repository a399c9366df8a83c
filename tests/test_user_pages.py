"""Folders of pages that are not ours: they set what a run computes and nothing of Hydra."""

from pathlib import Path

import pytest

from genlab.cli.search_path import CheckedPages, Growth
from genlab.config.pages import config_folder
from genlab.errors import ConfigError
from genlab.io.reading import read_yaml

PAGE = "# @package _global_\ndefaults:\n  - vae_mlp\nmodel:\n  beta: 2.0\n"
HOSTILE = {
    "callbacks": (
        "model",
        "hydra:\n  callbacks:\n    x: {_target_: os.system, command: touch evil}",
    ),
    "its package": ("model", "# @package hydra.callbacks.x\n_target_: torch.load\n"),
    "by name": ("model", "# @package _name_\ncallbacks: {}\n"),
    "another group's package": (
        "model",
        "# @package _global_\ndefaults:\n  - /data/digits@hydra.callbacks.x\n",
    ),
    "logging": (
        "experiment",
        "# @package _global_\ndefaults:\n  - override /hydra/job_logging: x\n",
    ),
    "environment": ("data", "hydra: {job: {env_set: {PATH: /evil}}}\n"),
    "search path": ("experiment", "# @package _global_\nhydra: {searchpath: [file:///evil]}\n"),
    "a secret": ("data", "path: ${oc.env:HOME}\n"),
    "an escaped secret": ("data", "path: \\${oc.env:HOME}\n"),
    "a secret by detour": ("data", "path: ${${x}:HOME}\n"),
    "decoding": ("data", "path: '${oc.decode:x}'\n"),
    "Hydra's own": ("data", "path: ${hydra:runtime.cwd}\n"),
    "an alias": ("data", "a: &a [1]\nb: [*a, *a]\n"),
    "a tag": ("data", "a: !!python/object/apply:os.system [touch evil]\n"),
    "a list": ("data", "- 1\n"),
}


def written(folder: Path, group: str, text: str, name: str = "mine") -> Path:
    file = folder / group / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_that_reaches_for_hydra_is_refused(genlab, tmp_path: Path, name: str) -> None:
    group, text = HOSTILE[name]
    file = written(tmp_path / "pages", group, text)
    code, _, err = genlab("train", f"--config-dir={tmp_path / 'pages'}", f"{group}=mine")
    assert code == 2
    assert str(file) in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages"]


@pytest.mark.parametrize("place", ["hydra/job_logging/genlab.yaml", "train.yaml", "Hydra/x.yaml"])
def test_no_page_takes_the_place_of_hydras_or_a_verbs(genlab, tmp_path: Path, place: str) -> None:
    file = tmp_path / "pages" / place
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    code, _, err = genlab("train", f"--config-dir={tmp_path / 'pages'}", "--cfg", "job")
    assert code == 2
    assert str(tmp_path / "pages" / place.split("/")[0]) in err


def test_pages_swept_over_are_checked_too(genlab, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    written(pages, "model", PAGE, "good")
    written(pages, "model", HOSTILE["callbacks"][1], "bad")
    sweep = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    small = ["data=digits", "trainer=cpu", "total_images=32", "samples.count=4"]
    words = ["-m", f"--config-dir={pages}", "model=good,bad", *small, "data.batch_size=16", sweep]
    code, _, err = genlab("train", *words)
    assert code == 2
    assert str(pages / "model" / "bad.yaml") in err


def test_a_folder_with_any_name_serves(genlab, tmp_path: Path) -> None:
    pages = tmp_path / "my, 'own' = pages é"
    written(pages, "model", PAGE)
    for name in ("train", "models"):
        words = ["model=mine", "--cfg", "job"] if name == "train" else ["match=mine"]
        code, out, err = genlab(name, f"--config-dir={pages}", *words)
        assert (code, err) == (0, "")
        assert ("beta: 2.0" if name == "train" else "mine") in out


def test_a_folder_named_as_an_interpolation_is_refused(genlab, tmp_path: Path) -> None:
    (tmp_path / "${x}").mkdir()
    code, _, err = genlab("train", f"--config-dir={tmp_path / '${x}'}", "--cfg", "job")
    assert code == 2
    assert "rename the folder" in err


def test_pages_stay_within_their_folder(tmp_path: Path) -> None:
    written(tmp_path, "model", PAGE)
    pages = CheckedPages("user", f"genlab://{tmp_path / 'model'}")
    assert not pages.is_config("../model/mine")
    assert not pages.is_config("mine")
    assert not pages.is_group("hydra/job_logging")


LEVELS = range(30)
GROWING = {
    "strings": [f'x{i}: "${{model.x{i + 1}}}${{model.x{i + 1}}}"' for i in LEVELS],
    "lists": [f'x{i}: ["${{model.x{i + 1}}}", "${{model.x{i + 1}}}"]' for i in LEVELS],
    "mappings": [f"x{i}: {{a: '${{.x{i + 1}}}', b: '${{model[x{i + 1}]}}'}}" for i in LEVELS],
    "resolvers": [f"x{i}: ['${{oc.select:model.x{i + 1}}}', '${{model.y}}']" for i in LEVELS],
    "itself": ["x: {a: '${..}'}"],
    "many": ["x: [" + "'${seed}'," * 201 + "]"],
}


@pytest.mark.parametrize("name", GROWING)
def test_settings_do_not_grow_without_end(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, "model", "\n".join([*GROWING[name], "x30: 1"]))
    with pytest.raises(ConfigError, match=str(file)):
        loaded(tmp_path, "model/mine", Growth())


def test_settings_do_not_grow_over_several_pages(tmp_path: Path) -> None:
    written(tmp_path, "model", "a: ['${data.b}', '${data.b}']", "one")
    written(tmp_path, "data", "b: ['${seed}', '${seed}']", "two")
    growth = Growth()
    loaded(tmp_path, "model/one", growth)
    with pytest.raises(ConfigError, match="could grow"):
        loaded(tmp_path, "data/two", growth)


def test_packaged_pages_would_serve_as_ones_own() -> None:
    for file in config_folder().glob("model/*.yaml"):
        content = read_yaml(file, ConfigError, may_interpolate=True)
        Growth().add(file, "model", "_global_", content)


def loaded(folder: Path, page: str, growth: Growth) -> None:
    pages = CheckedPages("user", f"genlab://{folder}")
    pages.growth = growth  # type: ignore[misc]
    pages.load_config(page)
