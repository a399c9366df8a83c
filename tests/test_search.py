"""A search over settings: its trials, what it gives up, and that it goes on where it was."""

import csv
from pathlib import Path

import optuna
import pytest

from genlab.search import _numbers

SMALL = ["model=gan", "data=digits", "trainer=cpu", "total_images=3000", "samples.count=4"]
SCORED = ["evaluate.every_images=1000", "evaluate.count=100", "objective=evaluation/recall"]
RATE = "model.generator_optimizer.lr=tag(log,interval(1e-5,1e-2))"


@pytest.fixture
def short_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.features.CLASSIFIER_IMAGES", 1000)


def study(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="genlab", storage=f"sqlite:///{folder / 'study.db'}")


@pytest.mark.usefixtures("short_classifier")
def test_a_search_names_the_best_trial_and_goes_on_where_it_was(genlab, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    words = ["-m", "hydra/sweeper=optuna", *SMALL, *SCORED, RATE, "data.batch_size=16,64"]
    words += ["hydra.sweeper.prune=false", f"hydra.sweep.dir={folder}"]
    code, out, _ = genlab("train", *words, "hydra.sweeper.trials=2")
    assert code == 0
    first = study(folder).trials
    assert len(first) == 2
    assert {t.state.name for t in first} == {"COMPLETE"}
    assert f"best: trial {study(folder).best_trial.number}" in out
    assert (folder / "search.png").exists()
    assert 1e-5 <= first[0].params["model.generator_optimizer.lr"] <= 1e-2
    assert first[0].params["data.batch_size"] in ("16", "64")

    # Killed in its third trial: that one is gone on with, under its number and settings.
    waiting = study(folder).ask(first[0].distributions)
    code, out, _ = genlab("train", *words, "hydra.sweeper.trials=4")
    assert code == 0
    trials = study(folder).trials
    assert [t.state.name for t in trials] == ["COMPLETE"] * 4
    assert trials[2].params == waiting.params
    assert (folder / "2" / "summary.json").exists()
    assert [t.params for t in trials[:2]] == [t.params for t in first]
    assert study(folder).direction.name == "MAXIMIZE"  # of recall
    with (folder / "trials.csv").open(newline="") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0", "1", "2", "3"]

    code, _, err = genlab("train", *words[:-3], "data.batch_size=8,16", *words[-2:])
    assert code == 2
    assert "in another way: search in another hydra.sweep.dir" in err


@pytest.mark.usefixtures("short_classifier")
def test_hopeless_trials_are_given_up(genlab, tmp_path: Path, monkeypatch) -> None:
    class Hopeless(optuna.pruners.BasePruner):
        def prune(self, study, trial) -> bool:
            return trial.number == 1 and trial.last_step == 2

    monkeypatch.setattr(optuna.pruners, "MedianPruner", Hopeless)
    folder = tmp_path / "search"
    words = ["-m", "hydra/sweeper=optuna", *SMALL, *SCORED, RATE, f"hydra.sweep.dir={folder}"]
    code, out, _ = genlab("train", *words, "hydra.sweeper.trials=2")
    assert code == 0
    assert [t.state.name for t in study(folder).trials] == ["COMPLETE", "PRUNED"]
    assert "given up after 2,0" in out
    assert not (folder / "1" / "summary.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "needs settings to vary"),
        ([RATE, "hydra.sweeper.sampler=tpf"], "did you mean tpe"),
        ([RATE, "hydra.sweeper.trials=0"], "trials=0 must be a whole number, at least 1"),
        ([RATE, "hydra.sweeper.trials=abc"], "trials=abc must be a whole number"),
        ([RATE, "hydra.sweeper.storage=foo"], "hydra.sweeper.storage=foo"),
        (["model.rate=tag(log,interval(0,1.0))"], "model.rate=tag(log,interval(0,1.0)): "),
        (["model.rate=interval(2.0,1.0)"], "model.rate=interval(2.0,1.0): "),
    ],
)
def test_what_cannot_be_searched_is_refused(
    genlab, tmp_path: Path, words: list[str], told: str
) -> None:
    where = f"hydra.sweep.dir={tmp_path / 'search'}"
    code, _, err = genlab("train", "-m", "hydra/sweeper=optuna", *SMALL, *words, where)
    assert code == 2
    assert told in err


def test_an_objective_that_no_run_has_is_told(genlab, tmp_path: Path) -> None:
    where = f"hydra.sweep.dir={tmp_path / 'search'}"
    search = ["-m", "hydra/sweeper=optuna", "hydra.sweeper.trials=1"]
    code, out, _ = genlab("train", *search, *SMALL, RATE, "objective=evaluation/recal", where)
    assert code == 2
    assert "objective=evaluation/recal: there is no such metric; set it to one of train/" in out


def test_settings_are_drawn_as_numbers_only_where_all_are() -> None:
    assert _numbers(["16", "64"]) == [16.0, 64.0]
    assert _numbers(["null", "0.5", 1]) == ["null", "0.5", "1"]
