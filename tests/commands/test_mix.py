from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.commands.mix import layers_of, noise_effect, table
from genlab.editing.space import LatentSpace, space_of
from genlab.runs.loaded import load_run


@pytest.fixture
def space(styled: Path) -> LatentSpace:
    return space_of(load_run(str(styled), "cpu"))


def cells(image: Image.Image, columns: int, apart: int = 0) -> np.ndarray:
    """Pictures of 16 pixels in a grid, its caption left out: (rows, columns, 16, 16)."""
    scale = image.width // (columns * 18 + 2 + 4 * apart)
    sheet = np.asarray(image.convert("L"))[::-scale, ::scale][::-1]
    rows = (len(sheet) - 2) // 18
    tops = [len(sheet) - 18 * (rows - row) for row in range(rows)]
    lefts = [2 + 18 * column + 4 * (apart and column >= apart) for column in range(columns)]
    return np.array([[sheet[t : t + 16, left : left + 16] for left in lefts] for t in tops])


def apart(found: np.ndarray, expected: np.ndarray) -> int:
    """The largest difference; batches of other sizes round otherwise by one."""
    return int(np.abs(found.astype(int) - expected).max())


def test_cells_have_the_columns_styles_in_the_layers_and_the_rows_elsewhere(
    space: LatentSpace,
) -> None:
    rows, columns = space.draw(2, 0), space.draw(3, 1)
    alone = [space.images(codes, 8)[:, 0].numpy() for codes in (rows, columns)]
    found = cells(table(space, rows, columns, "3-4", 8), 4, apart=1)[-3:]
    assert (found[0, 0] == 255).all()
    assert apart(found[1:, 0], alone[0]) <= 1
    assert apart(found[0, 1:], alone[1]) <= 1
    for row in range(2):
        for column in range(3):
            styles = torch.cat([rows[row, :2], columns[column, 2:4], rows[row, 4:]])
            expected = space.images(styles[None], 1)[0, 0].numpy()
            assert apart(found[row + 1, column + 1], expected) <= 1


def test_all_layers_copy_the_column(space: LatentSpace) -> None:
    rows, columns = space.draw(1, 0), space.draw(2, 1)
    found = cells(table(space, rows, columns, "all", 8), 3, apart=1)[-2:]
    assert apart(found[0, 1:], found[1, 1:]) <= 1


def test_noise_shows_where_it_acts(space: LatentSpace) -> None:
    loaded, codes = space.loaded, space.draw(2, 0)
    styles = space.learner.styles
    assert styles is not None
    strengths = [p for name, p in loaded.learner.named_parameters() if name.endswith("strength")]
    assert strengths
    for strength in strengths:
        strength.data.fill_(0)
    still = cells(noise_effect(loaded, styles, codes, 8), 4)[-2:]
    assert (still[:, 3] == 0).all()
    assert (still[:, 0] == still[:, 1]).all()
    assert (still[:, 0] == still[:, 2]).all()
    for strength in strengths:
        strength.data.fill_(0.3)
    moved = cells(noise_effect(loaded, styles, codes, 8), 4)[-2:]
    assert (moved[:, 0] != moved[:, 1]).any()
    assert moved[:, 3].max() == 255


def test_three_tables_and_the_noise_are_written(genlab, styled: Path, tmp_path: Path) -> None:
    sizes = ["rows=2", "columns=3"]
    code, said, err = genlab("mix", f"run={styled}", *sizes)
    assert (code, err) == (0, "")
    three, noise = (
        styled / "generated" / f"{n}.png" for n in ("mix_all_seed0_2x3", "noise_seed0_2")
    )
    assert said == f"wrote {three}\nwrote {noise}\n"
    heights = []
    for words in ("coarse", "middle", "fine"):
        assert genlab("mix", f"run={styled}", *sizes, f"layers={words}", f"out={tmp_path}")[0] == 0
        with Image.open(tmp_path / f"mix_{words}_seed0_2x3.png") as image:
            heights.append(image.height)
    with Image.open(three) as image:
        assert image.height == sum(heights)
    assert (tmp_path / "noise_seed0_2.png").read_bytes() == noise.read_bytes()


def test_layers_that_are_not_there_get_one_line(genlab, styled: Path) -> None:
    for words, message in (("4-9", "choose layers from 1 to 6"), ("corse", "choose all, coarse")):
        code, _, err = genlab("mix", f"run={styled}", f"layers={words}")
        assert code == 2
        assert f"layers={words}: {message}" in err
    assert genlab("mix", f"run={styled}", "rows=0")[0] == 2


@pytest.mark.parametrize(("model", "kind"), [("vae", "reconstruction"), ("dcgan", "adversarial")])
def test_models_without_styles_are_refused(genlab, runs, model: str, kind: str) -> None:
    code, _, err = genlab("mix", f"run={runs[model]}")
    assert code == 2
    assert f"this {kind} model has no styles: choose the run of a StyleGAN" in err


def test_the_whole_network_has_its_parts(space: LatentSpace) -> None:
    assert [len(layers_of(space, part)) for part in ("coarse", "middle", "fine")] == [2, 2, 2]
