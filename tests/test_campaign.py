"""A small part of the campaign, always the same one: `python scripts/campaign.py` tries more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "campaign.py"


PARTS = {"interrupted": 7, "ranks": 2, "signals": 2, "hostile": 12, "disks": 3, "lines": 12}


@pytest.mark.parametrize(("part", "count"), PARTS.items())
def test_a_part_of_the_campaign_holds(part: str, count: int, tmp_path: Path) -> None:
    words = [part, "--seed", "1", "--count", str(count), "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if "cannot be mounted here" in done.stdout:
        pytest.skip("this user may not mount a disk in memory")
    assert f"| {part} | {count} | {count} |" in done.stdout, done.stdout + done.stderr
