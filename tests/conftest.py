"""Every test works in folders of its own: cache, state and working directory."""

import io
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers share two cores
os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # its threads are OpenMP's: no fork survives them
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs Fashion-MNIST on a machine without it; nothing is downloaded for tests."""
    if item.get_closest_marker("fashion") is None:
        return
    from genlab.data import FashionMnist
    from genlab.data.downloads import data_folders
    from genlab.data.idx_sets import FILES, find

    below = [root / place for root in data_folders() for place in FashionMnist.places]
    if find([*below, *FashionMnist.system_folders], FILES) is None:
        pytest.skip("Fashion-MNIST is not here: apt install dataset-fashion-mnist, or GENLAB_DATA")


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared sets and the pointer to the last run stay out of the user's folders."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GENLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    patch.delenv("GENLAB_CONFIGS", raising=False)
    # Feature networks need to be the same ones, not good ones.
    patch.setattr("genlab.evaluation.classifier_run.CLASSIFIER_IMAGES", 2000)
    yield
    patch.undo()


@contextmanager
def _left_as_it_was() -> Iterator[None]:
    """A command changes its process: its environment, where it imports from, what it logs to."""
    from genlab import console
    from genlab.io import secrets

    environment, path = dict(os.environ), list(sys.path)
    console.console.cache_clear()
    try:
        yield
    finally:
        console.console.cache_clear()
        secrets.forget()
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path


@pytest.fixture(autouse=True)
def _own_process() -> Iterator[None]:
    """Every test finds the process as the first one did."""
    with _left_as_it_was():
        yield


@pytest.fixture(scope="session")
def command() -> Callable[..., None]:
    """Run a command line in this process, for trained fixtures; it has to succeed."""
    from genlab.cli import main

    def run(*words: str) -> None:
        said = io.StringIO()
        with (
            _left_as_it_was(),
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            patch.setattr(sys, "argv", ["genlab", *words])
            with pytest.raises(SystemExit) as ended:
                main.command()
        assert not ended.value.code, said.getvalue()

    return run


@pytest.fixture
def genlab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process; returns exit code, standard output and error."""
    from genlab import console
    from genlab.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["genlab", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.command()
        out, err = capsys.readouterr()
        console.console.cache_clear()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """For real processes: this test session's folders, one thread, no terminal."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "dumb"}


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, command) -> Path:
    """A tiny autoencoder on digits of 8 pixels with best weights and an evaluation; only read."""
    run = tmp_path_factory.mktemp("small") / "run"
    widths = [f"model.autoencoder.{part}.widths=[32]" for part in ("encoder", "decoder")]
    model = ["model=vae_mlp", "data=digits", "data.batch_size=32", *widths, "trainer=cpu"]
    length = ["total_images=320", "samples.count=4", "log.every_images=128"]
    scores = ["evaluate.every_images=160", "evaluate.count=40", f"hydra.run.dir={run}"]
    count = ["features=none", "count=40", "probe_images=40", "likelihood_images=8"]
    command("train", *model, *length, *scores)
    command("evaluate", f"run={run}", *count)
    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, command) -> Callable[..., Path]:
    """Trains a model with the given overrides, once; returns its run folder."""
    folder = tmp_path_factory.mktemp("runs")
    found: dict[tuple[str, ...], Path] = {}

    def train(*overrides: str) -> Path:
        if overrides not in found:
            found[overrides] = folder / str(len(found))
            words = ["trainer=cpu", "samples.count=4", "total_images=2000", *overrides]
            command("train", *words, f"hydra.run.dir={found[overrides]}")
        return found[overrides]

    return train
