"""Pictures found, read, and where what is made of them goes."""

import logging
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.commands import inputs
from genlab.config.parts import read_part
from genlab.config.run import Data
from genlab.data.pixels import fit
from genlab.errors import ConfigError, DataError
from genlab.runs.run_folder import RunFolder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four pictures of different kinds, and what is none."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name in ("b.JPG", "a.png", "sub/c.webp", "sub/d.gif"):
        Image.new("RGB", (6, 4), "red").save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


def names(paths, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (".", ["a.png", "b.JPG", "sub/c.webp", "sub/d.gif"]),
        ("sub/c.webp", ["sub/c.webp"]),
        ("*.png", ["a.png"]),
        ("**/*.[wg]*", ["sub/c.webp", "sub/d.gif"]),
    ],
)
def test_files_folders_and_patterns(photos: Path, pattern: str, found: list[str]) -> None:
    assert names(inputs.listed(f"{photos}/{pattern}", "image"), photos) == found
    again = [f"{photos}/{pattern}", photos / "a.png"]
    assert names(inputs.listed(again, "image"), photos) == list(dict.fromkeys([*found, "a.png"]))


def test_home_is_expanded(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(photos))
    assert inputs.listed("~/a.png", "image") == [photos / "a.png"]


@pytest.mark.parametrize("pattern", ["nowhere.png", "*.bmp", ""])
def test_nothing_found_names_the_setting(tmp_path: Path, monkeypatch, pattern: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as error:
        inputs.listed(pattern, "input")
    assert str(error.value).startswith(f"input={pattern}: no such file; name a file")


def test_a_folder_without_pictures(photos: Path) -> None:
    (photos / "empty").mkdir()
    with pytest.raises(DataError, match=r"image=.*empty contains no images: it needs files of png"):
        inputs.listed(photos / "empty", "image")


def test_whole_pictures_are_read_upright_over_white_in_the_models_colours(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 5, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    read = inputs.read(tmp_path / "turned.png", 3)
    assert np.array_equal(read.permute(1, 2, 0), np.rot90(pixels, -1))
    assert inputs.read(tmp_path / "turned.png", 1).shape == (1, 5, 3)
    clear = np.dstack([pixels, np.zeros((3, 5), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert (inputs.read(tmp_path / "clear.png", 3) == 255).all()


def test_with_a_resolution_they_are_fitted_as_a_folder_of_data_is(photos: Path) -> None:
    with Image.open(photos / "b.JPG") as image:
        wanted = torch.from_numpy(fit(image, 8, 1).pixels.copy())
    assert torch.equal(inputs.read(photos / "b.JPG", 1, 8), wanted)


def test_results_inside_a_folder_are_no_originals(photos: Path) -> None:
    found = names(inputs.listed(photos, "image", photos / "sub"), photos)
    assert found == ["a.png", "b.JPG"]
    assert names(inputs.listed(photos / "sub", "image", photos / "sub"), photos) == [
        "sub/c.webp",
        "sub/d.gif",
    ]


def test_a_damaged_file_is_named_and_the_others_are_read(photos: Path, caplog) -> None:
    whole = (photos / "a.png").read_bytes()
    (photos / "a.png").write_bytes(whole[: len(whole) // 2])
    paths = inputs.listed(photos, "image")
    with caplog.at_level(logging.WARNING):
        found = list(inputs.each(paths, partial(inputs.read, channels=3, resolution=8)))
    assert names([path for path, _ in found], photos) == ["b.JPG", "sub/c.webp", "sub/d.gif"]
    assert f"{photos / 'a.png'} cannot be used" in caplog.text
    of_all = {"validation": 0, "test": 0, "flip": False, "batch_size": 4, "in_memory_gb": 1}
    data = read_part(Data, {"source": {}, "channels": 3, "resolution": 8, **of_all})
    sizes = [len(batch.images) for batch in inputs.batches(paths, data, 2)]
    assert sizes == [2, 1]


def test_where_none_can_be_read(tmp_path: Path) -> None:
    paths = [tmp_path / "0.png", tmp_path / "1.png"]
    for path in paths:
        path.write_bytes(b"nothing")
    load = partial(inputs.read, channels=3)
    with pytest.raises(DataError, match="none of 2 images can be used"):
        list(inputs.each(paths, load))
    with pytest.raises(DataError, match=r"0\.png cannot be used"):
        list(inputs.each(paths[:1], load))


def test_a_bomb_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_PIXELS", 10)
    Image.new("L", (4, 4)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match=r"large\.png cannot be used: 4 x 4 pixels are too many"):
        inputs.read(tmp_path / "large.png", 1)


def placed(photos: Path, pattern: object, out: object = None, overwrite: bool = False):
    paths = inputs.listed(pattern, "image")
    out = None if out is None else str(out)
    run = RunFolder(photos.parent / "run")
    found = inputs.targets(paths, pattern, out, run, "restored", overwrite)
    assert list(found) == paths
    return [target.relative_to(photos.parent).as_posix() for target in found.values()]


def test_results_keep_names_and_places(photos: Path) -> None:
    below = ["a.png", "b.png", "sub/c.png", "sub/d.png"]
    assert placed(photos, photos) == [f"run/restored/{name}" for name in below]
    out = photos.parent / "out"
    assert placed(photos, photos, out) == [f"out/{name}" for name in below]
    assert placed(photos, f"{photos}/**/*.webp", out) == ["out/sub/c.png"]
    assert placed(photos, [photos / "a.png", photos / "sub" / "c.webp"], out) == [
        "out/a.png",
        "out/c.png",
    ]
    assert placed(photos, photos / "sub", photos) == ["photos/c.png", "photos/d.png"]
    assert placed(photos, photos / "b.JPG", out / "mine.png") == ["out/mine.png"]


@pytest.mark.parametrize(
    ("pattern", "out", "message"),
    [
        ("", "all.png", "all.png does not fit 4 images.*name a folder"),
        ("a.png", "a.jpg", "name a .png file or a folder"),
        ("a.png", "photos", "would replace an original"),
        ("b.JPG", "photos/a.png", "photos/a.png exists already: add overwrite=true or"),
    ],
)
def test_nothing_is_lost(photos: Path, pattern: str, out: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        placed(photos, f"{photos}/{pattern}", photos.parent / out)


def test_originals_stay_even_where_files_may_be_written_over(photos: Path) -> None:
    assert placed(photos, photos / "b.JPG", photos / "a.png", overwrite=True) == ["photos/a.png"]
    with pytest.raises(ConfigError, match="would replace an original"):
        placed(photos, photos, photos, overwrite=True)


def test_two_pictures_of_one_name_are_refused(photos: Path) -> None:
    Image.new("L", (2, 2)).save(photos / "a.jpg")
    with pytest.raises(ConfigError, match=r"a\.jpg and .*a\.png would both become"):
        placed(photos, photos)
