from pathlib import Path

import pytest
import torch
from PIL import Image

from genlab.drawing import projector


def test_columns_survive_odd_names_and_sprites_fit_the_texture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "_LARGEST_SPRITE", 64)
    columns = {"index": [3, 1, 2], "hair": ["long\tdark", "", "none"], "hat": ["a", "b", "c"]}
    images = torch.full((3, 3, 40, 40), 255, dtype=torch.uint8)
    projector.write_projector(tmp_path / "codes", torch.eye(3), columns, images)
    (metadata,) = tmp_path.rglob("metadata.tsv")
    rows = [line.split("\t") for line in metadata.read_text().splitlines()]
    assert rows == [
        ["index", "hair", "hat"],
        ["3", "long dark", "a"],
        ["1", "-", "b"],
        ["2", "none", "c"],
    ]
    with Image.open(metadata.parent / "sprite.png") as sprite:
        assert sprite.size == (64, 64)
