import warnings

import numpy as np
import pytest

from genlab.latent import PROJECTIONS, pca


def codes(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, size)).astype(np.float32)


def test_pca_finds_the_axes_of_most_variance() -> None:
    values = codes(500, 4) * np.array([1.0, 10.0, 0.1, 5.0], np.float32)
    plane = pca(values, 0)
    for found, column in ((0, 1), (1, 3)):
        alike = np.corrcoef(plane.points[:, found], values[:, column])[0, 1]
        assert abs(alike) > 0.99
    shares = values.var(0) / values.var(0).sum()
    stated = [float(axis.split()[2].rstrip("%")) / 100 for axis in plane.axes]
    assert stated == pytest.approx([shares[1], shares[3]], abs=0.01)


def test_a_single_code_keeps_its_order() -> None:
    values = codes(30, 1)
    np.testing.assert_array_equal(pca(values, 0).points[:, 0], values[:, 0])


@pytest.mark.parametrize("method", PROJECTIONS)
@pytest.mark.parametrize(("count", "size"), [(3, 2), (20, 1), (20, 300), (60, 3)])
def test_every_method_takes_few_images_and_few_or_many_codes(
    method: str, count: int, size: int
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about themselves
        plane = PROJECTIONS[method](codes(count, size), 0)
    assert plane.points.shape == (count, 2)
    assert np.isfinite(plane.points).all()
