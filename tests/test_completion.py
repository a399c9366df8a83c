"""What Tab offers, and how a shell comes to ask for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def test_completion_of_verbs_and_pages(genlab, monkeypatch) -> None:
    def complete(line: str) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        return genlab("-sc", "query=bash")[1].split()

    assert complete("genlab ev") == ["evaluate"]
    assert "train" in complete("genlab ")
    assert complete("genlab train model=dcgan_m") == ["model=dcgan_minimax"]
    assert "split=" in complete("genlab evaluate sp")[0]
    assert complete("genlab train --config-d") == ["--config-dir"]
    assert complete("genlab train seed=1 --config-dir . -m trainer=c") == ["trainer=cpu"]
    assert complete("genlab train model=nosuch seed") == []
    assert complete("genlab sample mo") == []


def test_completion_of_paths(genlab, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "runs" / "my run").mkdir(parents=True)
    monkeypatch.setenv("COMP_LINE", "genlab sample run=runs/m")
    monkeypatch.delenv("COMP_POINT", raising=False)
    assert genlab("-sc", "query=fish")[1] == "run=runs/my run/\n"
    assert genlab("-sc", "query=bash")[1] == "run=runs/my\\ run/\n"
    (tmp_path / "face.png").touch()
    monkeypatch.setenv("COMP_LINE", "genlab score image=f")
    assert genlab("-sc", "query=fish")[1] == "image=face.png\n"
    monkeypatch.setenv("COMP_LINE", "genlab sample run=runs/m")
    monkeypatch.setenv("COMP_WORDBREAKS", " =")  # bash has this word begin behind the =
    assert genlab("-sc", "query=bash")[1] == "runs/my\\ run/\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_for_genlab_alone(genlab, shell: str) -> None:
    code, out, _ = genlab("-sc", f"install={shell}")
    assert code == 0
    assert f"genlab -sc query={shell}" in out
    assert "python" not in out
    assert genlab("-sc", "install=tcsh")[0] == 2


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes() -> None:
    script = f"""
        genlab() {{ {sys.executable} -m genlab "$@"; }}
        eval "$(genlab -sc install=bash)"
        COMP_LINE='genlab train data=dig' COMP_POINT=21
        _genlab
        echo "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "digits\n"
