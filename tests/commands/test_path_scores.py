import json
from pathlib import Path


def test_models_with_styles_have_path_lengths(genlab, styled: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.json"
    words = ["features=none", "path_samples=20", f"out={out}"]
    code, _, err = genlab("evaluate", f"run={styled}", *words)
    assert (code, err) == (0, "")
    found = json.loads(out.read_text())
    lengths = {"path_length/z", "path_length/w", "path_length/z_end", "path_length/w_end"}
    assert found["metrics"].keys() == lengths | {"separability/z", "separability/w"}
    assert all(found["metrics"][name] > 0 for name in lengths)
    assert found["metrics"]["separability/z"] >= 1
    assert found["stamp"]["path_features"].startswith("genlab classifier")


def test_their_pictures_are_scored_with_noise_of_their_own(
    genlab, styled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "e.json"
    words = ["features=classifier", "count=40", "path_samples=0", f"out={out}"]
    code, _, err = genlab("evaluate", f"run={styled}", *words)
    assert (code, err) == (0, "")
    stamp = json.loads(out.read_text())["stamp"]
    assert (stamp["noise"], stamp["draw_seed"]) == ("own", 0)


def test_other_models_have_none(genlab, runs, tmp_path: Path) -> None:
    out = tmp_path / "e.json"
    words = ["features=none", f"out={out}"]
    assert genlab("evaluate", f"run={runs['dcgan']}", *words)[0] == 0
    assert json.loads(out.read_text())["metrics"] == {}
