"""Sets whose distribution is known: a grid of Gaussians, and stacks of three."""

import numpy as np
import pytest

from genlab.data import Digits, GaussianGrid, Stacked
from genlab.errors import ConfigError


def written(source) -> tuple[np.ndarray, dict, dict]:
    shape = (source.count(), source.channels, source.resolution, source.resolution)
    images = np.zeros(shape, np.uint8)
    annotations = source.write(images, lambda _: None)
    return images, annotations.labels, annotations.classes


def test_points_have_the_means_and_deviations_that_were_asked_for() -> None:
    grid = GaussianGrid(side=3, deviation=0.05, count=9000, seed=1)
    images, labels, classes = written(grid)
    points = images[:, :, 0, 0] / 127.5 - 1
    for kind, centre in enumerate(grid.centres):
        own = points[labels["label"] == kind]
        assert len(own) == 1000
        np.testing.assert_allclose(own.mean(0), centre, atol=0.01)
        np.testing.assert_allclose(own.std(0), 0.05, atol=0.005)
    assert classes["label"][0] == "-0.80 -0.80"
    assert np.array_equal(written(grid)[0], images)
    other = GaussianGrid(side=3, deviation=0.05, count=9000, seed=2)
    assert not np.array_equal(written(other)[0], images)


def test_each_colour_of_a_stack_is_a_picture_of_the_base_set_with_its_label() -> None:
    base = Digits(8, 1)
    pictures, told, _ = written(base)
    known = {
        picture.tobytes(): label for picture, label in zip(pictures, told["label"], strict=True)
    }
    images, labels, classes = written(Stacked(base, count=300, seed=0, resolution=8))
    for channel, name in enumerate(("red", "green", "blue")):
        for image, label in zip(images[:, channel], labels[name], strict=True):
            assert known[image.tobytes()] == label
        assert classes[name] == list("0123456789")
    combinations = {tuple(labels[n][i] for n in labels) for i in range(300)}
    assert len(combinations) > 200


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: GaussianGrid(1, 0.1, 100, 0), "data.side=1"),
        (lambda: GaussianGrid(5, 0.0, 100, 0), "data.deviation=0.0"),
        (lambda: GaussianGrid(5, 0.1, 10, 0), "data.count=10"),
        (lambda: GaussianGrid(5, 0.1, 100, 0, resolution=8), "leave both"),
        (lambda: GaussianGrid(5, 0.1, 100, -1), "data.drawing_seed=-1"),
        (lambda: Stacked(Digits(8, 1), 10, -1, 8), "data.drawing_seed=-1"),
        (lambda: Stacked(Digits(8, 3), 10, 0, 8), "data.channels=3"),
        (lambda: Stacked(Digits(8, 1), 0, 0, 8), "data.count=0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make()
