"""The grids of a run whose pictures are large."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SMALL = ["data=digits", "data.resolution=8", "trainer=cpu", "total_images=96", "model=vae_mlp"]


def test_a_grid_shows_the_first_pictures_that_have_room(
    genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SMALL, "samples.count=36", "data.batch_size=32"]
    assert genlab("train", *words, f"hydra.run.dir={tmp_path / 'all'}")[0] == 0
    monkeypatch.setattr("genlab.callbacks.grids.fitting", lambda height, width: 8)
    monkeypatch.setattr("genlab.drawing.image_grid.MOST_LOSSLESS", 1000)
    code, out, _ = genlab("train", *words, f"hydra.run.dir={tmp_path / 'some'}")
    assert code == 0
    assert "grids show 8 images, as many as a file has room for" in out

    def cells(run: str, kind: str, columns: int, count: int) -> np.ndarray:
        """The first pictures of the last grid, at their own size."""
        (file,) = (tmp_path / run / kind).glob("images-000000000096.*")
        assert file.suffix == (".jpg" if run == "some" else ".png")
        with Image.open(file) as picture:
            scale = round(640 / (columns * 10 + 2))
            sheet = picture.crop((0, 26, *picture.size))  # below the caption
            sheet = sheet.resize((sheet.width // scale, sheet.height // scale), 0)
        places = [divmod(index, columns) for index in range(count)]
        boxes = [(c * 10 + 2, r * 10 + 2, c * 10 + 10, r * 10 + 10) for r, c in places]
        return np.stack([np.asarray(sheet.crop(box), float) for box in boxes])

    away = cells("some", "samples", 3, 8) - cells("all", "samples", 6, 8)
    assert np.abs(away).max() < 8  # JPEG's
    events = EventAccumulator(str(tmp_path / "some"), {"images": 0}).Reload()
    assert {(i.width, i.height <= 600) for i in events.Images("samples")} == {(512, True)}


def test_automatic_intervals_grow_with_the_images_seen(
    genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlab.schedules.FIRST_INTERVAL", 20)
    words = [*SMALL[:-2], "model=vae_mlp", "samples.count=4", "data.batch_size=10"]
    words += ["samples.every_images=auto", "total_images=1130", f"hydra.run.dir={tmp_path}"]
    assert genlab("train", *words)[0] == 0
    drawn = sorted(int(f.stem.removeprefix("images-")) for f in tmp_path.glob("samples/images-*"))
    assert drawn == [*range(0, 1001, 20), 1050, 1100, 1130]
