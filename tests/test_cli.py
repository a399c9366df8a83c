import subprocess
import sys
from pathlib import Path

import pytest

from genlab.cli.main import VERBS
from genlab.config.pages import config_folder


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_the_overview_lists_the_verbs(genlab) -> None:
    for arguments in ((), ("--help",)):
        code, out, _ = genlab(*arguments)
        assert code == 0
        for verb in VERBS:
            assert f"\n  {verb} " in out


def test_the_overview_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv=['genlab','--help']\n"
        "from genlab.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'hydra', 'omegaconf', 'numpy', 'rich', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_teaches(genlab, verb: str) -> None:
    code, out, _ = genlab(verb, "--help")
    assert code == 0
    assert f"genlab {verb}:" in out
    assert "usage:" in out


def test_help_of_train_lists_the_groups(genlab) -> None:
    _, out, _ = genlab("train", "--help")
    for word in ("model:", "dcgan", "vae", "data:", "fashion_mnist", "trainer:", "ddp"):
        assert word in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("trian",), 2, "genlab: trian: no such verb; did you mean train?"),
        (("train", "model=stylegann"), 2, "model=stylegann: no such page"),
        (("train", "model=dcgn"), 2, "did you mean dcgan"),
        (("train", "data=digit"), 2, "did you mean digits"),
        (("train", "total_image=5"), 2, "did you mean total_images"),
        (("train", "model.beat=2", "model=vae"), 2, "did you mean model.beta"),
        (("train", "total_images=many"), 2, "many"),
        (("train", "total_images=0"), 2, "total_images=0 must be at least 1"),
        (("train", "modle=vae"), 2, "did you mean model"),
        (("train", "trainer.precision=fp8"), 2, "choose one of auto"),
        (("train", "trainer.devices=none"), 2, "trainer.devices=none"),
        (("train", "data=folder"), 2, "data.path is missing"),
        (("train", "data=folder", "data.path=/nowhere"), 3, "/nowhere"),
        (("train", "data=digits", "data.batch_size=5000"), 3, "set data.batch_size="),
        (("train", "data=digits", "data.resolution=25"), 2, "resolution=25 cannot be halved"),
        (("train", "remedy=adda"), 2, "did you mean ada"),
        (("train", "remedy=[r1,adda]"), 2, "did you mean ada"),
        (("train", "model=vae", "remedy=ada", "data=digits"), 2, "no such argument"),
        (("train", "data=digits", "model.loss.smoothing=2", "total_images=200"), 2, "smoothing=2"),
        (("train", "data=digits", "model=wgan", "remedy=label_smoothing"), 2, "has no labels"),
        (("train", "data=digits", "model=wgan_gp", "remedy=flipped_labels"), 2, "has no labels"),
        (("train", "resume=/nowhere"), 4, "resume=/nowhere"),
        (("train", "trainer=gpu", "data=digits"), 5, "trainer.accelerator=gpu: no such device"),
        (("train", "data=digits", "hydra.run.dir=/proc/run"), 5, "/proc/run"),
        (("sample",), 2, "run= is missing"),
        (("sample", "run=/nowhere"), 4, "run=/nowhere"),
        (("evaluate", "cuont=3"), 2, "did you mean count"),
        (("models", "match=diffusion"), 2, "fits no page"),
        (("train", "nosuch.key=1"), 2, "no such setting; genlab train --cfg job shows all"),
        (("train", "seed=a"), 2, "seed=a: "),
        (("train", "seed="), 2, "seed=: "),
        (("train", "total_images=1.5"), 2, "total_images=1.5: "),
        (("train", "checkpoint.keep=null"), 2, "checkpoint.keep=null"),
        (("train", "seed=1,2"), 2, "add -m"),
        (("train", "a b"), 2, "'a b' cannot be read"),
        (("sample", "labels=3"), 2, "labels with a class each, such as {label:3}"),
        (("sample", "labels={label:a=b}"), 2, """'labels={NAME:"VALUE"}'"""),
        (("train", "seed=[1"), 2, "'seed=\"[1\"'"),
        (("train", "vae"), 2, "vae: settings are given as KEY=VALUE"),
        (("train", "~seed"), 2, "~seed: seed cannot be left out"),
        (("train", "trainer=null"), 2, "trainer=null: no such page"),
        (("train", "trainer=3"), 2, "trainer=3: no such page"),
        (("train", "--hepl"), 2, "did you mean --help?"),
        (("train", "-x"), 2, "-x: no such flag"),
        (("train", "--cfg", "jobb"), 2, "did you mean job?"),
        (("train", "--config-dir"), 2, "--config-dir needs a value"),
        (("train", "--multirun", "--cfg", "job"), 2, "do not go together"),
        (("train", "max_minutes=0"), 2, "max_minutes=0"),
        (("train", "max_minutes=-1"), 2, "max_minutes=-1"),
        (("train", "checkpoint.every_images=0"), 2, "checkpoint.every_images=0"),
        (("train", "checkpoint.every_minutes=0"), 2, "checkpoint.every_minutes=0"),
        (("train", "log.validate_every_images=0"), 2, "log.validate_every_images=0"),
        (("train", "samples.every_images=0"), 2, "samples.every_images=0 must be auto or a whole"),
        (("train", "samples.every_images=rarely"), 2, "samples.every_images=rarely must be auto"),
        (("train", "samples.count=0"), 2, "samples.count=0"),
        (("train", "seed=-1"), 2, "seed=-1"),
        (("train", "seed=9223372036854775808"), 2, "2**63 - 1"),
        (("train", "trainer.num_nodes=2"), 2, "torchrun"),
        (("train", "data=digits", "data.batch_size=null"), 2, "data.batch_size=null"),
        (("train", "data=digits", "data.labels_per_class=few"), 2, "data.labels_per_class='few'"),
        (("train", "model=vae_mlp", "model.beta=null"), 2, "model.beta=null"),
        (
            ("train", "data=digits", "model=vae_mlp", "model.optimizer.lr=-1"),
            2,
            "model.optimizer.lr=-1 must be above 0",
        ),
        (
            ("train", "model=vae_mlp", "model.reconstruction._target_=torch.nn.Module"),
            2,
            "model.reconstruction: Module is not a Likelihood",
        ),
        (("sample", "seed=-1", "run=x"), 2, "seed=-1"),
        (("sample", "out=", "run=x"), 2, "out= is empty"),
        (
            ("evaluate", f"out={__file__}/scores.json", "run=x"),
            5,
            "test_cli.py is a file, not a folder",
        ),
        (("mix", "columns=101", "run=x"), 2, "columns=101 must be a whole number from 1 to 100"),
        (("evaluate", "path_samples=-1", "run=x"), 2, "at least 10, or 0 for none"),
        (("evaluate", "path_samples=1", "run=x"), 2, "at least 10, or 0 for none"),
        (("sample", "run=/no where/a=b, c"), 4, "run=/no where/a=b, c: "),
        (("train", "resume=/no where"), 4, "resume=/no where: "),
    ],
)
def test_mistakes_get_one_line_and_their_exit_code_and_leave_nothing(
    genlab, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    if arguments == ("train", "trainer=gpu", "data=digits"):
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("there is a GPU here")
    ended, _, err = genlab(*arguments)
    assert ended == code
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err
    assert not list(tmp_path.glob("runs/*"))


def test_a_run_that_could_not_start_is_not_the_last_one(genlab, tmp_path: Path) -> None:
    small = ["model=vae_mlp", "data=digits", "trainer=cpu", "samples.count=1", "total_images=64"]
    good = tmp_path / "it's a = good, run"
    code, _, err = genlab("train", *small, "data.batch_size=32", f"hydra.run.dir={good}")
    assert (code, err) == (0, "")
    two = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
    for words, expected in (
        (["data.batch_size=5000"], 3),
        ([*two, "data.batch_size=800"], 3),
        ([*two, "model.optimizer.lr=-1"], 2),
    ):
        assert genlab("train", *small, *words, f"hydra.run.dir={tmp_path / 'bad'}")[0] == expected
        assert not (tmp_path / "bad").exists()
    code, out, _ = genlab("train", "resume=last", "total_images=96")
    assert code == 0
    assert "continuing after 64 images" in out
    assert genlab("sample", f"run={good}", f"out={tmp_path / 'my pictures' / 'grid.png'}")[0] == 0
    assert (tmp_path / "my pictures" / "grid.png").exists()


def test_a_home_that_cannot_be_written_to_stops_no_training(
    genlab, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    run = tmp_path / "run"
    code, out, _ = genlab(
        "train", "model=vae_mlp", "data=digits", "total_images=64", f"hydra.run.dir={run}"
    )
    assert code == 0
    assert "run=last will not find this run" in out
    assert genlab("sample", f"run={run}")[0] == 0


def test_flags_may_stand_anywhere(genlab, tmp_path: Path) -> None:
    folder = str(tmp_path)
    for arguments in (
        ("--config-dir", folder, "model=vae", "--cfg", "job", "seed=3"),
        ("model=vae", "-cd", folder, "seed=3", "-c", "job"),
        ("model=vae", "--cfg=job", f"--config-dir={folder}", "seed=3"),
    ):
        code, out, err = genlab("train", *arguments)
        assert (code, err) == (0, "")
        assert "seed: 3" in out


def test_every_verb_tells_genlabs_version(genlab) -> None:
    assert genlab("train", "--version") == genlab("--version")


def test_a_reader_that_has_gone_is_no_error() -> None:
    command = f"{sys.executable} -m genlab | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) in ((141, ""), (0, ""))


def test_models_and_data_are_listed_in_their_own_words(genlab) -> None:
    _, out, _ = genlab("models")
    for page in (config_folder() / "model").glob("*.yaml"):
        assert f"{page.stem} " in out
    _, out, _ = genlab("data", "match=fashion")
    assert out.startswith("fashion_mnist")


def test_own_pages_extend_and_shadow(genlab, tmp_path: Path, monkeypatch) -> None:
    for folder, page in (("first", "mine"), ("second", "vae")):
        (tmp_path / folder / "model").mkdir(parents=True)
        (tmp_path / folder / "model" / f"{page}.yaml").write_text(
            "# @package _global_\n# A page of my own, from a folder of my own\n"
            "defaults:\n  - dcgan\nmodel:\n  generator:\n    latent_size: 7\n"
        )
    monkeypatch.setenv("GENLAB_CONFIGS", str(tmp_path / "second"))
    for page in ("mine", "vae"):
        code, out, _ = genlab(
            "train", "--config-dir", str(tmp_path / "first"), f"model={page}", "--cfg", "job"
        )
        assert code == 0
        assert "latent_size: 7" in out
    _, out, _ = genlab("models", "--config-dir", str(tmp_path / "first"))
    assert "A page of my own" in out


def test_the_config_can_be_shown(genlab) -> None:
    code, out, _ = genlab("train", "model=vae", "--cfg", "job")
    assert code == 0
    assert "_target_: genlab.learners.Reconstruction" in out


@pytest.mark.parametrize(
    ("page", "says"),
    [("defaults: [vae]\n", "refer to themselves"), ("a: [\n", "vae.yaml")],
)
def test_pages_of_ones_own_that_cannot_work_are_said(
    genlab, tmp_path, page: str, says: str
) -> None:
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "vae.yaml").write_text(page)
    code, _, err = genlab("train", f"--config-dir={tmp_path / 'mine'}", "model=vae")
    assert code == 2
    assert says in err
    assert err.count("\n") == 1


def test_a_config_that_is_not_a_runs_is_said(genlab, tmp_path) -> None:
    (tmp_path / "config.yaml").write_text("a: 1\n")
    code, _, err = genlab("sample", f"run={tmp_path}")
    assert code == 4
    assert "lacks model, data, trainer, seed" in err


def test_no_memory_is_said_with_the_mend(
    genlab, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_memory(config: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 512000 B")

    monkeypatch.setattr("genlab.commands.sample.run", without_memory)
    code, _, err = genlab("sample", f"run={small_run}")
    assert code == 5
    assert "not enough memory: reduce count=, batch_size=" in err


def test_nothing_of_the_current_folder_is_imported(tmp_path: Path) -> None:
    for name in ("signal", "typing", "pathlib", "yaml", "torch", "logging"):
        (tmp_path / f"{name}.py").write_text("open('run', 'a').write(__name__)\n")
    command = [sys.executable, "-m", "genlab", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "run").exists()
