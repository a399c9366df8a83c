"""Upscaling, inpainting and translating files, through the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.commands.inpaint import filled, window_of
from genlab.networks.tiling import in_tiles, tiles
from genlab.pixels import normalise, to_uint8
from genlab.runs.loaded import load_run


def opened_as_array(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


SMALL = [
    "model.translator.network.width=4",
    "total_images=200",
    "data=digits",
    "data.resolution=16",
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pictures, one of them in a folder below, and a damaged one."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "below").mkdir()
    draw = np.random.default_rng(0).integers
    for name, size in (("one.jpg", (21, 34)), ("below/two.bmp", (40, 25))):
        Image.fromarray(draw(0, 255, (*size, 3), np.uint8)).save(folder / name)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def upscaler(trained) -> Path:
    return trained(
        "model=srgan", *SMALL, "model.view.factor=2", "model.translator.network.blocks=1"
    )


@pytest.fixture(scope="module")
def inpainter(trained) -> Path:
    return trained("model=context_encoder", *SMALL, "model.view.kind=box")


def test_a_folder_is_enlarged_with_its_names(genlab, upscaler, pictures, tmp_path: Path) -> None:
    words = [f"run={upscaler}", f"image={pictures}", f"out={tmp_path}", "tile=8"]
    code, said, err = genlab("upscale", *words)
    assert (code, err) == (0, "")
    assert "broken.png cannot be used" in said
    names = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.png")}
    made = {name: opened_as_array(path).shape for name, path in names.items()}
    assert made == {"one.png": (42, 68), "below/two.png": (80, 50)}


def test_tiles_leave_no_seam(upscaler) -> None:
    """Tile by tile comes out what the network makes of the whole picture."""
    loaded = load_run(str(upscaler), "cpu")
    learner = loaded.learner
    torch.manual_seed(0)
    for parameter in learner.exported.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    picture = torch.randint(0, 256, (1, 70, 45), dtype=torch.uint8)

    def enlarge(part: torch.Tensor) -> torch.Tensor:
        return to_uint8(learner.translate(normalise(part), "upscaled"))

    whole = enlarge(picture[None])[0]
    radius = learner.exported.radius
    assert torch.equal(in_tiles(enlarge, picture, 2, 16, radius), whole)
    assert not torch.equal(in_tiles(enlarge, picture, 2, 16, 1), whole)


@pytest.mark.parametrize("size", [(100, 70), (40, 70), (16, 16), (17, 33)])
def test_tiles_cover_a_picture_once_and_are_seen_in_one_size(size: tuple[int, int]) -> None:
    covered = torch.zeros(size)
    seen = set()
    for (rows, columns), (high, wide) in tiles(*size, side=16, margin=4):
        covered[rows, columns] += 1
        seen.add((high.stop - high.start, wide.stop - wide.start))
        for inner, outer, length in zip((rows, columns), (high, wide), size, strict=True):
            assert outer.start <= max(inner.start - 4, 0)
            assert outer.stop >= min(inner.stop + 4, length)
    assert (covered == 1).all()
    assert seen == {(min(24, size[0]), min(24, size[1]))}


def test_transparency_is_enlarged_and_what_is_lost_is_said(
    genlab, upscaler, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (10, 12, 4), np.uint8)
    pixels[:, :6, 3], pixels[:, 6:, 3] = 0, 255
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in" / "clear.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / "in" / "deep.png")
    code, said, err = genlab("upscale", f"run={upscaler}", f"image={tmp_path}/in", "out=out")
    assert (code, err) == (0, "")
    assert "warning: colour images are grey now, because the model is grey: clear.png" in said
    assert "warning: 16-bit images are 8-bit now: deep.png" in said
    alpha = opened_as_array(tmp_path / "out" / "clear.png")[..., 1]
    assert alpha.shape == (20, 24)
    assert not alpha[:, :9].any()
    assert (alpha[:, 15:] == 255).all()


def test_nothing_is_overwritten_unasked(genlab, upscaler, pictures, tmp_path: Path) -> None:
    target = tmp_path / "large.png"
    words = ["upscale", f"run={upscaler}", f"image={pictures}/one.jpg", f"out={target}"]
    assert genlab(*words)[0] == 0
    before = target.read_bytes()
    code, _, err = genlab(*words)
    assert code == 2
    assert "overwrite=true" in err
    assert target.read_bytes() == before
    assert genlab(*words, "overwrite=true")[0] == 0


@pytest.fixture
def face(tmp_path: Path) -> tuple[Path, Path]:
    """A picture of no particular size, and a mask with a white box."""
    pixels = np.random.default_rng(1).integers(0, 255, (50, 70), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "face.png")
    holes = np.zeros((50, 70), np.uint8)
    holes[20:28, 60:70] = 255
    Image.fromarray(holes).save(tmp_path / "mask.png")
    return tmp_path / "face.png", tmp_path / "mask.png"


@pytest.mark.parametrize("method", ["translator", "projection"])
def test_pixels_around_a_hole_are_untouched(genlab, inpainter, runs, face, method: str) -> None:
    image, mask = face
    run = inpainter if method == "translator" else runs["dcgan"]
    out = image.with_name("filled.png")
    words = [f"run={run}", f"image={image}", f"mask={mask}", f"out={out}", "steps=4", "draws=8"]
    code, said, err = genlab("inpaint", *words)
    assert (code, err) == (0, "")
    assert "80 pixels filled" in said
    before, after, holes = (opened_as_array(path) for path in (image, out, mask))
    assert np.array_equal(before[holes == 0], after[holes == 0])
    assert not np.array_equal(before[holes > 0], after[holes > 0])


def test_a_window_holds_all_holes() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        holes = torch.zeros(40, 60)
        rows, columns = (
            torch.randint(0, 40, (2,), generator=generator),
            torch.randint(0, 60, (2,), generator=generator),
        )
        if abs(int(columns[0] - columns[1])) >= 40:
            continue
        holes[rows, columns] = 1
        window = window_of(holes, 0.25, 8)
        assert window.of(holes).sum() == holes.sum()
        assert window.of(holes).shape == (window.side, window.side)


def test_unknown_pixels_do_not_leak_into_what_is_given() -> None:
    """What stands in a hole changes nothing."""
    picture = torch.randint(0, 256, (1, 30, 30), dtype=torch.uint8)
    holes = torch.zeros(30, 30, dtype=torch.uint8)
    holes[11:17, 9:16] = 1
    other = picture.clone()
    other[:, holes > 0] = 255
    given = []
    for each in (picture, other):
        filled(
            each, holes, window_of(holes, 0.25, 8), 8, lambda image, _: given.append(image) or image
        )
    assert torch.equal(*given)


def test_grey_pictures_are_coloured(genlab, trained, pictures, tmp_path: Path) -> None:
    run = trained("model=pix2pix", "view=grey", "data=avatars", "data.count=60", *SMALL[:2])
    words = [f"run={run}", f"image={pictures}"]
    code, _, err = genlab("translate", *words, f"out={tmp_path}")
    assert (code, err) == (0, "")
    assert opened_as_array(tmp_path / "one.png").shape == (32, 32, 3)
    assert (run / "translated_coloured.png").exists()
    words += [f"out={tmp_path}", "overwrite=true", "whole=true", "derive=true"]
    assert genlab("translate", *words)[0] == 0
    assert opened_as_array(tmp_path / "below" / "two.png").shape == (40, 25, 3)


def test_two_kinds_are_translated_both_ways(genlab, trained, pictures, tmp_path: Path) -> None:
    counts = ["data.first_count=30", "data.second_count=20", "data.resolution=16"]
    run = trained(
        "model=cyclegan", *counts, "model.translators.network.translator.width=4", "total_images=48"
    )
    words = ["translate", f"run={run}", f"image={pictures}"]
    code, _, err = genlab(*words, f"out={tmp_path}")
    assert code == 2
    assert "direction=pixel-art_to_open-peeps or direction=open-peeps_to_pixel-art" in err
    code, _, err = genlab(*words, "direction=open-peeps_to_pixel-art")
    assert (code, err) == (0, "")
    found = (run / "translated" / "open-peeps_to_pixel-art").rglob("*.png")
    assert sorted(path.name for path in found) == ["one.png", "two.png"]


@pytest.mark.parametrize(
    ("verb", "words", "code", "told"),
    [
        ("upscale", ["image=nowhere"], 3, "image=nowhere: no such file"),
        ("upscale", ["image={pictures}/broken.png"], 3, "cannot be used"),
        ("upscale", ["image={pictures}", "out=a.png"], 2, "name a folder"),
        ("upscale", ["image={pictures}/one.jpg", "out=a.jpg"], 2, "name a .png file or a folder"),
        ("upscale", ["image={pictures}", "tile=0"], 2, "tile=0"),
        ("inpaint", ["image={pictures}"], 2, "train model=context_encoder"),
        ("translate", ["image={pictures}"], 2, "use genlab upscale"),
    ],
)
def test_mistakes_get_one_line(genlab, upscaler, pictures, verb, words, code, told) -> None:
    words = [word.format(pictures=pictures) for word in words]
    status, _, err = genlab(verb, f"run={upscaler}", *words)
    assert status == code
    assert told in err
    assert err.count("\n") == 1


def test_masks_have_to_fit(genlab, inpainter, face, pictures) -> None:
    image, mask = face
    words = ["inpaint", f"run={inpainter}", f"image={image}"]
    assert "white where" not in genlab(*words, f"mask={mask}", f"out={image.parent}/x")[2]
    for given, told in ((pictures / "one.jpg", "make them the same"), (None, "mask=PATH")):
        code, _, err = genlab(*words, *([f"mask={given}"] if given else []), "overwrite=true")
        assert code in (2, 3)
        assert told in err


def test_a_mask_that_does_not_fit_leaves_the_other_pictures(
    genlab, inpainter, face, tmp_path: Path
) -> None:
    image, mask = face
    for folder in ("faces", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("0.png", "1.png"):
        (tmp_path / "faces" / name).write_bytes(image.read_bytes())
    (tmp_path / "masks" / "1.png").write_bytes(mask.read_bytes())
    Image.new("L", (3, 3), 255).save(tmp_path / "masks" / "0.png")
    words = [f"image={tmp_path}/faces", f"mask={tmp_path}/masks", f"out={tmp_path}/out"]
    code, said, _ = genlab("inpaint", f"run={inpainter}", *words)
    assert code == 0
    assert "left out: " in said
    assert "make them the same" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1.png"]


def test_evaluation_says_what_was_gained(genlab, upscaler, tmp_path: Path) -> None:
    import json

    out = tmp_path / "scores.json"
    code, _, err = genlab("evaluate", f"run={upscaler}", "count=60", f"out={out}")
    assert (code, err) == (0, "")
    metrics = json.loads(out.read_text())["metrics"]
    for name in (
        "psnr",
        "ssim",
        "naive_psnr",
        "naive_ssim",
        "frechet_distance/upscaled",
        "frechet_distance/before/upscaled",
        "perceptual_distance/upscaled",
    ):
        assert np.isfinite(metrics[name]), name
    assert (tmp_path / "scores_translations.png").exists()
