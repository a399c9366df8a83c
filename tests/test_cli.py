import subprocess
import sys
from pathlib import Path

import pytest

from genlab.config import config_folder


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_the_overview_lists_the_verbs(genlab) -> None:
    for arguments in ((), ("--help",)):
        code, out, _ = genlab(*arguments)
        assert code == 0
        for verb in ("train", "sample", "reconstruct", "evaluate", "models", "data"):
            assert f"\n  {verb} " in out


def test_the_overview_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv=['genlab','--help']\n"
        "from genlab.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'hydra', 'omegaconf', 'numpy', 'rich', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("verb", ["train", "sample", "reconstruct", "evaluate", "models", "data"])
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
        (("trian",), 2, "did you mean train?"),
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
        (("train", "resume=/nowhere"), 4, "resume=/nowhere"),
        (("train", "trainer=gpu", "data=digits"), 5, "trainer.accelerator=gpu: no such device"),
        (("train", "data=digits", "hydra.run.dir=/proc/run"), 5, "/proc/run"),
        (("sample",), 2, "run= is missing"),
        (("sample", "run=/nowhere"), 4, "run=/nowhere"),
        (("evaluate", "cuont=3"), 2, "did you mean count"),
        (("models", "match=diffusion"), 2, "fits no page"),
    ],
)
def test_mistakes_get_one_line_and_their_exit_code(
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
            "defaults:\n  - dcgan\nmodel:\n  latent_size: 7\n"
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


def test_completion_of_verbs_and_pages(genlab, monkeypatch) -> None:
    def complete(line: str) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        return genlab("-sc", "query=bash")[1].split()

    assert complete("genlab ev") == ["evaluate"]
    assert "train" in complete("genlab ")
    assert complete("genlab train model=dcgan_m") == ["model=dcgan_minimax"]
    assert "split=" in complete("genlab evaluate sp")[0]


def test_the_config_can_be_shown(genlab) -> None:
    code, out, _ = genlab("train", "model=vae", "--cfg", "job")
    assert code == 0
    assert "_target_: genlab.learners.Reconstruction" in out
