"""Mistakes are answered before anything that takes seconds is imported; nothing is left behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import genlab

HEAVY = ("torch", "pytorch_lightning", "torchmetrics", "torchvision", "numpy", "PIL", "matplotlib")
_SCRIPT = f"""
import sys
from genlab.cli.main import command
try:
    command()
finally:
    print(*[name for name in {HEAVY} if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("train total_imges=5", "did you mean total_images"),
        ("train model=dcgan model.ema=3", "model.ema: no such setting"),
        ("train model=dcgann", "model=dcgann: no such page"),
        ("train resume=nowhere", "nowhere is not a run folder"),
        ("sample run=nowhere", "nowhere is not a run folder"),
        ("sample run=x cuont=3", "did you mean count"),
        ("reconstruct run=x image=nowhere.png", "image=nowhere.png: no such file"),
        ("inpaint run=x image={here} mask=nowhere.png", "mask=nowhere.png: no such file"),
        ("runs", "no runs here"),
    ],
)
def test_mistakes_are_answered_before_anything_heavy_is_imported(
    tmp_path: Path, environment, words: str, says: str
) -> None:
    given = [word.format(here=__file__) for word in words.split()]
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *given],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert says in ended.stderr
    assert ended.stdout.split() == []
    assert list(tmp_path.iterdir()) == []


def test_a_command_for_several_values_leaves_nothing_but_its_results(
    genlab, small_run: Path, tmp_path: Path
) -> None:
    words = ["reconstruct", "-m", f"run={small_run}", "count=2,3", "out=made"]
    assert genlab(*words)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert len(list((tmp_path / "made").iterdir())) == 2


def test_an_optional_part_that_is_missing_is_named_with_what_installs_it(
    genlab, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    words = ["hydra/sweeper=optuna", "model.rate=interval(0.5,2)", "data=digits"]
    code, _, err = genlab("train", "-m", *words, f"hydra.sweep.dir={tmp_path / 'sweep'}")
    assert code == 2
    checkout = Path(__file__).resolve().parents[1]
    assert f'pip install -e "{checkout}[sweep]"' in err


@pytest.mark.parametrize(
    "command", ["sample", "reconstruct", "edit", "score", "evaluate", "encode"]
)
def test_commands_for_finished_runs_import_nothing_that_trains(command: str) -> None:
    unwanted = "{'pytorch_lightning', 'lightning_fabric', 'torchmetrics', 'tensorboard'}"
    code = f"import sys, genlab.commands.{command}; assert not {unwanted} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_networks_without_memory_need_no_compiler() -> None:
    models = ("dcgan", "wgan_gp", "progan", "stylegan", "stylegan2", "vae", "vae_mlp", "pix2pix")
    configs = {model: genlab.compose(model)["model"] for model in models}
    code = (
        "import json, sys\n"
        "from genlab.config.build import without_memory\n"
        "for model, config in json.load(sys.stdin).items():\n"
        "    assert all(p.is_meta for p in without_memory(config).parameters())\n"
        "    if 'torch._dynamo' in sys.modules: sys.exit(model)\n"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, input=json.dumps(configs))
    assert (ended.returncode, ended.stderr) == (0, "")
