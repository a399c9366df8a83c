"""A stranger's run folder, wrong in one way at a time: every command answers with one line.

No raw error of a library, no hang, nothing for the terminal to obey, and the file is named.
"""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutations import Mutation
from strangers import BORNE, REFUSED

SECONDS = 60

WORDS = {
    "sample": ["sample", "run={run}", "count=2", "accelerator=cpu"],
    "best": ["sample", "run={run}/best.safetensors", "count=2", "accelerator=cpu"],
    "reconstruct": ["reconstruct", "run={run}", "count=2", "accelerator=cpu"],
    "evaluate": ["evaluate", "run={run}", "features=none", "count=20", "accelerator=cpu"],
    "compare": ["compare", "runs=[{run},{other}]", "out=side"],
    "resume": ["train", "resume={run}", "total_images=352"],
}


def cases(table: dict[str, dict[str, Mutation]]) -> list:
    return [
        pytest.param(verb, mutation, id=f"{verb}: {name}")
        for verb, mutations in table.items()
        for name, mutation in mutations.items()
    ]


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """A command that hangs fails its test."""

    def late(*_) -> None:
        raise TimeoutError(f"no answer within {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def answer(genlab, small_run: Path, tmp_path: Path):
    """Copies the run, changes it, gives it to a command; returns exit code, output and error."""

    def give(verb: str, mutation: Mutation) -> tuple[int, str, str]:
        run = tmp_path / "run"
        shutil.copytree(small_run, run)
        mutation(run)
        return genlab(*(word.format(run=run, other=small_run) for word in WORDS[verb]))

    return give


@pytest.mark.parametrize(("verb", "mutation"), cases(REFUSED))
def test_what_is_wrong_is_one_line_with_the_file(answer, tmp_path, verb: str, mutation) -> None:
    outside = tmp_path / "outside"
    code, out, err = answer(verb, mutation)
    # On the way to training a value that cannot be may also be one of the command line.
    assert code in ((2, 4) if verb == "resume" else (4,)), err
    assert err.startswith("genlab: ")
    assert str(tmp_path / "run") in err
    assert err.count("\n") == 1
    assert len(err.replace(str(tmp_path), "")) < 300
    assert all(line.isprintable() for line in (out + err).splitlines())
    assert not outside.is_file() or not outside.stat().st_size or "leads away" not in err


@pytest.mark.parametrize(("verb", "mutation"), cases(BORNE))
def test_what_does_no_harm_is_borne(answer, verb: str, mutation) -> None:
    code, out, err = answer(verb, mutation)
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.splitlines())


@pytest.mark.parametrize("verb", WORDS)
def test_the_run_itself_is_used_by_every_command(answer, verb: str) -> None:
    assert answer(verb, lambda run: None)[0] == 0
