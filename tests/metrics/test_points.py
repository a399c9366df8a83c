import torch

from genlab.data import GaussianGrid
from genlab.metrics import PointFeatures


def test_points_are_named_for_the_nearest_centre_and_close_within_three_deviations() -> None:
    centres = torch.tensor([[-0.5, 0.0], [0.5, 0.0]])
    network = PointFeatures(centres, 0.1)
    points = torch.tensor([[-0.5, 0.29], [0.4, 0.0], [0.1, 0.0]])
    assert network.classes(points)["label"].argmax(1).tolist() == [0, 1, 1]
    assert network.close(points).tolist() == [True, True, False]


def test_the_grid_is_its_own_truth() -> None:
    import numpy as np

    grid = GaussianGrid(side=5, deviation=0.02, count=5000, seed=0)
    images = np.zeros((5000, 2, 1, 1), np.uint8)
    annotations = grid.write(images, lambda _: None)
    centres = torch.from_numpy(grid.centres)
    network = PointFeatures(centres, grid.deviation)
    points = network(torch.from_numpy(images))
    told = network.classes(points)["label"].argmax(1)
    assert torch.equal(told, torch.from_numpy(annotations.labels["label"]))
    # 1 - exp(-9/2) of a Gaussian of the plane lies within 3 deviations.
    assert abs(network.close(points).float().mean() - 0.9889) < 0.01
    residuals = points - centres[told]
    assert abs(residuals.std() - 0.02) < 0.001
