"""Similarity of pairs and nearest neighbours against scikit-learn and what is known."""

import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from genlab.metrics import likeness, nearest
from genlab.metrics.pixels import scales


def noise(count: int, side: int, seed: int, channels: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, side, side)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def test_nearest_are_scikit_learns() -> None:
    images, among = noise(30, 6, 0), noise(200, 6, 1)
    found = nearest(images, among, 4)
    points = [x.flatten(1).double().numpy() / 255 for x in (images, among)]
    distances, indices = NearestNeighbors(n_neighbors=4).fit(points[1]).kneighbors(points[0])
    assert torch.equal(found.indices, torch.from_numpy(indices))
    expected = torch.from_numpy(distances / 6).float()
    torch.testing.assert_close(found.distances, expected)


def test_copies_are_at_distance_zero() -> None:
    among = noise(600, 8, 0, channels=3)
    found = nearest(among[100:700:7], among)
    assert found.distances.max() == 0
    assert torch.equal(found.indices[:, 0], torch.arange(100, 600, 7))


def test_large_pictures_are_averaged_down() -> None:
    small = noise(5, 32, 0)
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert nearest(large, large, 2).distances.equal(nearest(small, small, 2).distances)


@pytest.mark.parametrize(("side", "expected"), [(11, 1), (28, 2), (64, 3), (96, 3), (192, 5)])
def test_likeness_of_one_picture_is_one_and_of_noise_near_zero(side: int, expected: int) -> None:
    assert scales(side) == expected
    one = noise(1, side, 0).expand(10, -1, -1, -1)
    assert likeness(one, pairs=20) == pytest.approx(1, abs=1e-5)
    assert likeness(noise(20, side, 0), pairs=20) == pytest.approx(0, abs=0.1)


def test_every_size_has_a_likeness() -> None:
    for side in range(11, 200, 3):
        assert likeness(noise(2, side, 0), pairs=1) is not None


def test_likeness_of_large_pictures_is_torchmetrics_with_the_published_weights() -> None:
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    one, other = noise(1, 192, 0), noise(1, 192, 1) // 4 + 90
    both = torch.cat([one, other])
    pair = (both.float() / 255).split(1)
    expected = multiscale_structural_similarity_index_measure(*pair, data_range=1.0)
    # The published weights add up to 1.0001.
    assert likeness(both, pairs=4) == pytest.approx(float(expected), rel=1e-3)


def test_small_pictures_have_none() -> None:
    assert likeness(noise(5, 8, 0)) is None
