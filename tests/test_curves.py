from pathlib import Path

import pytest

from genlab.config.run import Report
from genlab.jobs.report import write_report


def runs() -> list[tuple[dict, dict]]:
    table = {
        (True, 5, 0): 0.6,
        (True, 5, 1): 0.8,
        (False, 5, 0): 0.5,
        (False, 5, 1): 0.7,
        (True, 10, 0): 0.9,
        (False, 10, 0): 0.9,
    }
    return [
        ({"pretrained": p, "data": {"labels": n}, "seed": s}, {"accuracy": value})
        for (p, n, s), value in table.items()
    ]


def test_means_deviations_and_paired_differences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = Report(
        metric="accuracy",
        across="data.labels",
        curves=["pretrained"],
        baseline="pretrained=False",
    )
    write_report(wanted, [*runs(), ({"seed": 9}, {})], tmp_path)
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert lines[0] == "| accuracy by data.labels | 5 | 10 |"
    assert lines[2] == "| pretrained=True | 0.7 ± 0.14 (2) | 0.9 ± 0 (1) |"
    assert lines[3] == "| pretrained=False | 0.6 ± 0.14 (2) | 0.9 ± 0 (1) |"
    assert lines[4].startswith("| pretrained=True minus pretrained=False | 0.1 ± ")
    deviation = float(lines[4].split("±")[1].split("(")[0])
    assert deviation == pytest.approx(0.0, abs=1e-9)
    assert (tmp_path / "report.png").exists()


def test_nothing_is_written_where_nothing_was_measured(tmp_path: Path) -> None:
    write_report(Report(metric="x", across="y"), runs(), tmp_path)
    assert not list(tmp_path.iterdir())
