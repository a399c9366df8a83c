"""A search over settings: its trials, what it gives up, and that it goes on where it was."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from genlab.errors import ConfigError
from genlab.evaluation.reference import WHILE_TRAINING
from genlab.jobs.study import (
    JOURNAL,
    Settings,
    _kept_in,
    open_study,
    refuse_another_space,
    tell,
    trials_to_run,
)
from genlab.jobs.study_report import _numbers

SMALL = ["model=gan", "data=digits", "trainer=cpu", "total_images=3000", "samples.count=4"]
SCORED = ["evaluate.every_images=1000", "evaluate.count=100", "objective=evaluation/recall"]
RATE = "model.generator.optimizer.lr=tag(log,interval(1e-5,1e-2))"


def study(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="genlab", storage=_kept_in(folder))


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
    assert 1e-5 <= first[0].params["model.generator.optimizer.lr"] <= 1e-2
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
    measured = json.loads((folder / "0" / "summary.json").read_text())["metrics"]
    assert {n.split("/")[1] for n in measured if n.startswith("evaluation/")} <= {*WHILE_TRAINING}
    with (folder / "trials.csv").open(newline="") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0", "1", "2", "3"]

    code, _, err = genlab("train", *words[:-3], "data.batch_size=8,16", *words[-2:])
    assert code == 2
    assert "differently: use another hydra.sweep.dir" in err


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
    assert "pruned after 2,0" in out
    assert not (folder / "1" / "summary.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "needs settings to vary"),
        ([RATE, "hydra.sweeper.sampler=tpf"], "did you mean tpe"),
        ([RATE, "hydra.sweeper.trials=0"], "trials=0 must be a whole number, at least 1"),
        ([RATE, "hydra.sweeper.trials=abc"], "trials=abc must be a whole number"),
        ([RATE, "objective=seconds", "hydra.sweeper.storage=foo"], "hydra.sweeper.storage=foo"),
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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([*SCORED[:2], "objective=evaluation/recal"], "no such metric; did you mean evaluation/re"),
        (["objective=evaluation/recall"], "evaluate.every_images=N adds"),
        ([], "objective=None: set one; these runs have none but train/NAME"),
    ],
)
def test_an_objective_that_no_run_will_have_is_refused_before_the_first(
    genlab, tmp_path: Path, words: list[str], told: str
) -> None:
    where = f"hydra.sweep.dir={tmp_path / 'search'}"
    search = ["-m", "hydra/sweeper=optuna", "hydra.sweeper.trials=1"]
    code, _, err = genlab("train", *search, *SMALL, RATE, *words, where)
    assert code == 2
    assert told in err
    assert not (tmp_path / "search" / "0").exists()


def test_an_objective_that_only_a_run_can_show_to_be_missing_fails_it(
    genlab, tmp_path: Path
) -> None:
    where = f"hydra.sweep.dir={tmp_path / 'search'}"
    search = ["-m", "hydra/sweeper=optuna", "hydra.sweeper.trials=1", "total_images=100"]
    code, out, _ = genlab("train", *search, *SMALL, RATE, "objective=train/los", where)
    assert code == 2
    assert "objective=train/los: there is no such metric; set it to one of train/" in out


def test_settings_are_drawn_as_numbers_only_where_all_are() -> None:
    assert _numbers(["16", "64"]) == [16.0, 64.0]
    assert _numbers(["null", "0.5", 1]) == ["null", "0.5", "1"]


WORKER = """
import sys
from pathlib import Path
import optuna
from genlab.jobs import study
folder, storage = Path(sys.argv[1]), sys.argv[2] or None
settings = study.Settings("genlab", storage, 9, "tpe", 0, True, "validation/loss", "minimize")
space = {"x": optuna.distributions.FloatDistribution(0, 1)}
opened = study.open_study(settings, folder)
study.refuse_another_space(opened, space, folder)
for trial in study.trials_to_run(opened, settings, space, folder):
    print(trial.number)
    trial.report(1.0, 1)
    study.tell(opened, trial, trial.params["x"], pruned=False)
"""


@pytest.mark.parametrize("database", [False, True])
def test_workers_that_begin_a_study_together_share_its_trials(
    tmp_path: Path, environment: dict[str, str], database: bool
) -> None:
    storage = f"sqlite:///{tmp_path / 'old.db'}" if database else ""
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(tmp_path), storage]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdout=pipe, text=True, env=environment) for _ in range(3)]
    told = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(int(number) for numbers in told for number in numbers) == list(range(9))
    trials = optuna.load_study(
        study_name="genlab", storage=storage or _kept_in(tmp_path)
    ).get_trials()
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert len({trial.params["x"] for trial in trials}) == 9  # each draws for itself


def test_two_searches_at_once_do_each_trial_once_and_list_them_all(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "search"
    words = ["data=digits", "data.resolution=8", "trainer=cpu", "total_images=200"]
    words += ["samples.count=4", "model=vae_mlp", "data.batch_size=16,32,64"]
    words += ["hydra/sweeper=optuna", "hydra.sweeper.trials=3", f"hydra.sweep.dir={folder}"]
    command = [sys.executable, "-W", "ignore", "-m", "genlab", "train", "-m", *words]
    pipe = subprocess.PIPE
    searches = [
        subprocess.Popen(
            command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment, cwd=tmp_path
        )
        for _ in range(2)
    ]
    told = [search.communicate(timeout=300)[0] for search in searches]
    assert [search.returncode for search in searches] == [0, 0], told
    assert sum(text.count("run folder: ") for text in told) == 3
    with (folder / "sweep.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done"] * 3
    with (folder / "trials.csv").open(newline="") as file:
        trials = list(csv.DictReader(file))
    assert [row["state"] for row in trials] == ["complete"] * 3
    summaries = [json.loads((folder / str(n) / "summary.json").read_text()) for n in range(3)]
    expected = [summary["metrics"]["validation/loss"] for summary in summaries]
    assert [float(row["value"]) for row in trials] == pytest.approx(expected)


def test_a_study_of_the_old_kind_is_gone_on_with(tmp_path: Path) -> None:
    space = {"x": optuna.distributions.FloatDistribution(0, 1)}
    old = optuna.create_study(study_name="genlab", storage=f"sqlite:///{tmp_path / 'study.db'}")
    old.tell(old.ask(space), 0.5)
    waiting = old.ask(space)
    settings = Settings("genlab", None, 3, "random", 0, False, "validation/loss", "minimize")
    opened = open_study(settings, tmp_path)
    numbers = []
    for trial in trials_to_run(opened, settings, space, tmp_path):
        numbers.append(trial.number)
        tell(opened, trial, 1.0, pruned=False)
        if trial.number == 1:
            assert trial.params == waiting.params
    assert numbers == [1, 2]
    with pytest.raises(ConfigError, match="the study's trials have the objective validation/loss"):
        open_study(settings._replace(objective="validation/mse"), tmp_path)


def test_a_trial_whose_drawing_was_cut_short_is_drawn_to_its_end(tmp_path: Path) -> None:
    settings = Settings("genlab", None, 1, "tpe", 0, False, "validation/loss", "minimize")
    space = {name: optuna.distributions.FloatDistribution(0, 1) for name in ("x", "y")}
    opened = open_study(settings, tmp_path)
    opened.ask({"x": space["x"]})
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"op_code": 5, "wor')  # killed in the middle of a line
    refuse_another_space(opened, space, tmp_path)
    (trial,) = trials_to_run(open_study(settings, tmp_path), settings, space, tmp_path)
    assert set(trial.params) == {"x", "y"}
    with pytest.raises(ConfigError, match="varied x, y differently"):
        refuse_another_space(opened, {"x": space["x"]}, tmp_path)


@pytest.mark.parametrize("name", [JOURNAL, "study.db"])
def test_a_damaged_study_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"op_code": 0}\n[[]]\n')
    with pytest.raises(ConfigError, match=f"{tmp_path / name}: the study cannot be read"):
        open_study(Settings("genlab", None, 1, "tpe", 0, True, "loss", "minimize"), tmp_path)
