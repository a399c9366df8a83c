"""The built wheel, unpacked on its own, works from any folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from genlab.config.pages import config_folder

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds nothing but what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return site


def test_the_wheel_carries_the_pages_and_trains_from_any_folder(
    site: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    pages = {p.relative_to(config_folder()) for p in config_folder().rglob("*.yaml")}
    carried = site / "genlab" / "configs"
    assert {p.relative_to(carried) for p in carried.rglob("*.yaml")} == pages
    script = "import genlab.cli.main; genlab.cli.main.main()"
    run = tmp_path / "run"
    words = ["train", "model=vae_mlp", "data=digits", "total_images=200", f"hydra.run.dir={run}"]
    subprocess.run(
        [sys.executable, "-c", script, *words, "samples.count=4"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.fspath(site)},
        check=True,
        capture_output=True,
    )
    assert (run / "weights.safetensors").exists()
