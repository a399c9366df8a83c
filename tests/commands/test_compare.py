import json
from pathlib import Path

import pytest
from PIL import Image

STAMP = {"split": "test", "data": {"source": "Digits"}, "features_sha256": "a", "seed": 0}


@pytest.fixture
def evaluated(tmp_path: Path):
    def make(name: str, metrics: dict, **stamp) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("{}\n")
        content = {"metrics": metrics, "stamp": {**STAMP, "weights": {"sha256": name}, **stamp}}
        (folder / "evaluation.json").write_text(json.dumps(content))
        return folder

    return make


def test_runs_measured_alike_are_ranked(genlab, evaluated, tmp_path: Path) -> None:
    one = evaluated("one", {"frechet_distance": 3.0, "recall": 0.4})
    two = evaluated("two", {"frechet_distance": 5.0, "recall": 0.6, "mse": 0.1})
    code, out, err = genlab("compare", f"runs=[{one},{two}]", "out=side")
    assert (code, err) == (0, "")
    assert "frechet_distance: one (3)" in out
    assert "recall: two (0.6)" in out
    assert "mse" not in out
    rows = (tmp_path / "side" / "comparison.csv").read_text().splitlines()
    assert rows == ["run,frechet_distance,recall", "one,3.0,0.4", "two,5.0,0.6"]
    assert "| one | 3 | 0.4 |" in (tmp_path / "side" / "comparison.md").read_text()
    with Image.open(tmp_path / "side" / "comparison.png") as picture:
        assert picture.width > 400


def test_thousands_of_metrics_are_in_the_table_of_numbers_only(genlab, evaluated, tmp_path) -> None:
    metrics = {f"metric_{number}": float(number) for number in range(3000)}
    one, two = evaluated("one", metrics), evaluated("two", {**metrics, "metric_1": float("inf")})
    code, out, _ = genlab("compare", f"runs=[{one},{two}]", "out=side")
    assert code == 0
    assert "2,950 more metrics are in comparison.csv only" in out
    assert len(out.splitlines()[0].split()) == 50
    assert "and 1 column more" in out
    first = (tmp_path / "side" / "comparison.csv").read_text().splitlines()[0]
    assert len(first.split(",")) == 3001


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"metrics": {"recall": "high"}, "stamp": {}}', "metrics.recall is not a number"),
        ('{"metrics": [1], "stamp": {}}', "metrics is not a mapping"),
        ('{"metrics": {}}', "it lacks stamp"),
        ('{"metrics": {"a": 1' + "0" * 400 + '}, "stamp": {}}', "metrics.a is not a number"),
        ("[" * 100_000, "not readable as JSON"),
        ('{"metrics": {}, "stamp": {"a": ' + "[" * 60 + "]" * 60 + "}}", "nested more than 50"),
    ],
)
def test_scores_that_are_none_are_named(genlab, evaluated, content: str, says: str) -> None:
    one, two = evaluated("one", {"recall": 0.4}), evaluated("two", {})
    (two / "evaluation.json").write_text(content)
    code, _, err = genlab("compare", f"runs=[{one},{two}]")
    assert code == 4
    assert f"{two / 'evaluation.json'}: " in err
    assert says in err


def test_scores_that_only_describe_have_no_best(genlab, evaluated) -> None:
    one = evaluated("one", {"codes": 3, "ms_ssim": 0.2, "classifier_score/label/real": 9.0})
    two = evaluated("two", {"codes": 5, "ms_ssim": 0.3, "classifier_score/label/real": 8.0})
    code, out, _ = genlab("compare", f"runs=[{one},{two}]")
    assert code == 0
    assert "- " not in out.split("Best", 1)[1]


def test_the_best_and_the_last_moment_of_a_run_are_two(genlab, evaluated) -> None:
    run = evaluated("one", {"recall": 0.4})
    best = json.loads((run / "evaluation.json").read_text())
    best["metrics"]["recall"] = 0.5
    (run / "evaluation_best.json").write_text(json.dumps(best))
    code, out, _ = genlab("compare", f"runs=[{run},{run}/best.safetensors]")
    assert code == 0
    assert "recall: one_best (0.5)" in out


def test_scores_of_different_stamps_are_not_ranked(genlab, evaluated) -> None:
    one = evaluated("one", {"recall": 0.4})
    two = evaluated("two", {"recall": 0.6}, features_sha256="b")
    code, out, _ = genlab("compare", f"runs=[{one},{two}]")
    assert code == 0
    assert "Not ranked" in out
    assert "features_sha256: a, b" in out
    assert "recall: two" not in out


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (["runs=[{one}]"], 2, "two run folders"),
        (["runs={one}"], 2, "two run folders"),
        (["runs=[{one},{one}/nowhere]"], 4, "is not a run folder"),
        (["runs=[{one},{bare}]"], 4, "genlab evaluate run="),
        (["runs=[{one},{one}]", "metrics=[]"], 2, "metrics=[] is empty"),
        (["runs=[{one},{one}]", "metrics=[fid]"], 2, "no run has fid; they have recall"),
    ],
)
def test_what_cannot_be_compared_is_said_on_one_line(
    genlab, evaluated, words, exit_code, says
) -> None:
    one, bare = evaluated("one", {"recall": 0.4}), evaluated("bare", {})
    (bare / "evaluation.json").unlink()
    code, _, err = genlab("compare", *(word.format(one=one, bare=bare) for word in words))
    assert code == exit_code
    assert says in err
    assert err.count("\n") == 1


def test_runs_are_named_by_patterns_and_by_last(genlab, evaluated, tmp_path: Path) -> None:
    evaluated("vae_1", {"recall": 0.4})
    evaluated("vae_2", {"recall": 0.6})
    evaluated("gan", {"recall": 0.5})
    bare = evaluated("vae_3", {})
    (bare / "evaluation.json").unlink()
    code, out, err = genlab("compare", "runs=runs/vae*")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["vae_1", "vae_2"]
    bare.rename(tmp_path / "bare")
    code, out, err = genlab("compare", "runs=[last,runs/*1]")
    assert (code, err) == (0, "")
    assert "runs=last:" in out
    assert "vae_1" in out
    code, _, err = genlab("compare", "runs=runs/g*")
    assert code == 2
    assert "name two run folders or more" in err
    code, _, err = genlab("compare", "runs=no/*")
    assert code == 2
    assert "matches no evaluated run" in err
