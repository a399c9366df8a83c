import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from genlab.editing.expressions import attribute_targets, parse
from genlab.editing.space import space_of
from genlab.runs.loaded import load_run

CLASSES = {"glasses": ["none", "dark"], "hair": ["long", "short"], "top": ["none", "T-shirt + tie"]}
FAST = ["codes=60", "check=30", "seeds=[3,5]", "settle=2"]


@pytest.fixture(autouse=True)
def _short_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.editing.optimise.STEPS", 10)


@pytest.mark.parametrize("which", ["styled", "conditional"])
def test_a_label_gives_strips_and_rates(genlab, request, tmp_path: Path, which: str) -> None:
    run = request.getfixturevalue(which)
    words = ["direction=label:2", "strengths=[-2,0,2]", f"out={tmp_path}", *FAST]
    code, out, err = genlab("edit", f"run={run}", *words)
    assert (code, err) == (0, "")
    report = json.loads((tmp_path / "edit_label_2.json").read_text())
    assert 0 <= report["flipped"] <= 1
    assert report["space"] == ("w" if which == "styled" else "z")
    assert f"strength={report['strength']:g}" in out
    with Image.open(tmp_path / "edit_label_2.png") as image:
        assert image.size[0] > 300


@pytest.mark.parametrize(("which", "method"), [("styled", "factorised"), ("conditional", "pca")])
def test_components_give_a_strip_each(genlab, request, tmp_path, which: str, method: str) -> None:
    run = request.getfixturevalue(which)
    words = [f"direction={method}", "count=3", f"out={tmp_path}", *FAST]
    assert genlab("edit", f"run={run}", *words)[0] == 0
    assert len(list(tmp_path.glob(f"edit_{method}_?.png"))) == 3


@pytest.mark.parametrize("form", ["label:2 - not_label:2 + 7", "expression=label:2 - label:3 + 7"])
def test_sums_may_be_given_bare(genlab, styled: Path, tmp_path: Path, form: str) -> None:
    code, _, err = genlab("edit", f"run={styled}", form, f"out={tmp_path}", *FAST)
    assert (code, err) == (0, "")
    assert len(list(tmp_path.glob("*.png"))) == 2
    (report,) = tmp_path.glob("*.json")
    assert "flipped" in json.loads(report.read_text())


def test_seeds_alone_need_no_classifier(genlab, runs, tmp_path: Path) -> None:
    code, out, err = genlab("edit", f"run={runs['dcgan']}", "3 - 5 + 7", f"out={tmp_path}")
    assert (code, err) == (0, "")
    assert out == f"wrote {tmp_path}/edit_3_5_7.png\n"


def test_labels_behind_latents_stay(conditional: Path) -> None:
    space = space_of(load_run(str(conditional), "cpu"))
    codes = space.draw(4, 0)
    move = space.moves(torch.ones(1, space.free(codes).shape[-1]), codes)
    told = space.learner.labels_of((codes + move)[:, 0])
    assert told["label"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("first", ["- 1.5", "-1.5"])
def test_expressions_are_read_term_by_term(first: str) -> None:
    terms = parse(
        f"{first}*with_glasses + not_hair:long - top:T-shirt + tie + 7".replace("+ tie", ""),
        {**CLASSES, "top": ["none", "T-shirt"]},
    )
    assert [(term.factor, term.word, term.present, term.seed) for term in terms] == [
        (-1.5, "with_glasses", True, None),
        (1.0, "not_hair:long", False, None),
        (-1.0, "top:T-shirt", True, None),
        (1.0, "7", True, 7),
    ]
    assert [(each.name, wanted) for each, wanted in attribute_targets(terms).items()] == [
        ("with_glasses", False),
        ("hair:long", False),
        ("top:T-shirt", False),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["direction=lable:1"], "did you mean label?"),
        (["direction=factorisation"], "did you mean factorised?"),
        (["direction=label:11"], "label has no class 11; did you mean 1"),
        (["direction=label"], "name one, label:0 or label:1"),
        (["with_lable - without_lable + 7"], "did you mean label?"),
        (["-lable:3 + 7"], "did you mean label?"),
        (["label:3 -7"], "'label:3 -7' is no single term: write terms with spaces around"),
        (["with_label-without_label+7"], "is no single term: write terms with spaces around"),
        (["label:3 + 99999999999999999999"], "must be a whole number from 0 to 2**63 - 1"),
        (["label:3 - + 7"], "'+ 7' is no single term"),
        (["lable"], "spaces around + and -"),
        (["expression='  '"], "is empty"),
        ([], "say what to edit"),
        (["direction=pca", "7 + 8"], "say what to edit"),
        (["direction=factorised"], "has no styles: use direction=pca"),
        (["direction=pca", "seeds=[a]"], "must be a range 0-63"),
        (["direction=pca", "seeds=null"], "seeds=null must be a range 0-63"),
        (["direction=pca", "strengths=[a]"], "a list of numbers"),
        (["direction=pca", "strengths=[nan,1]"], "a list of numbers"),
        (["direction=pca", "strengths=[1e300]"], "a list of numbers"),
        (["direction=pca", "codes=1"], "codes=1: directions are found from 2"),
        (["direction=label:1", "strength=much"], "must be auto or a finite number"),
        (["label:1 - not_label:1 + 7", "strength=nan"], "must be auto or a finite number"),
        (["direction=label:1", "settle=-1"], "settle=-1 must be a whole number"),
        (["direction=label:1", "codes=1", "seed=3"], "generated images has it: set codes="),
    ],
)
def test_mistakes_get_one_line(genlab, runs, words: list[str], message: str) -> None:
    code, _, err = genlab("edit", f"run={runs['dcgan']}", *words)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
