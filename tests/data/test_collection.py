"""A collection gives each image by its position, from any process."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from genlab.data import Collection, Folder, prepare


def collection(root: Path) -> Folder:
    for number, name in enumerate(("b/1.png", "a/2.png", "a/1.png")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (10 * number, 0, 0)).save(root / name)
    return Folder(str(root), 4, 3, False, False, 10**6)


def shade(made: Collection, position: int) -> int:
    return int(made.prepared(position).pixels[0, 0, 0])


def test_images_come_by_position_and_in_any_order(tmp_path: Path) -> None:
    made = collection(tmp_path)
    assert made.names == ["a/1.png", "a/2.png", "b/1.png"]
    assert [shade(made, position) for position in (2, 0, 1)] == [0, 20, 10]
    assert made.prepared(0).pixels.shape == (3, 4, 4)


def test_a_prepared_set_holds_what_prepared_gives(tmp_path: Path) -> None:
    made = collection(tmp_path)
    images = prepare(made, 1).images
    assert np.array_equal(images, [made.prepared(position).pixels for position in range(3)])


def test_a_pickled_collection_gives_the_same_images_in_another_process(tmp_path: Path) -> None:
    made = collection(tmp_path)
    assert made.names  # what is listed goes with it
    again = pickle.loads(pickle.dumps(made))
    assert again.names == made.names
    assert again.fingerprint() == made.fingerprint()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(shade, [made] * 3, range(3))) == [20, 10, 0]
