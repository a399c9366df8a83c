"""Inception-style score and modes against scikit-learn, SciPy, torchmetrics and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from genlab.metrics import combined, inception_score, modes


def test_score_of_sure_answers_is_the_number_of_classes() -> None:
    assert inception_score(torch.eye(7).repeat(5, 1)) == pytest.approx(7)
    assert inception_score(torch.full((20, 7), 1 / 7)) == pytest.approx(1)


def test_score_is_the_mutual_information_of_picture_and_class() -> None:
    """For counts, IS = exp(I(x; y)), which scikit-learn computes from a table."""
    table = np.random.default_rng(0).integers(1, 20, (6, 4))
    shares = table / table.sum(1, keepdims=True)
    weighted = np.lcm.reduce(table.sum(1))  # rows of equal weight
    contingency = (shares * weighted).round().astype(np.int64)
    expected = mutual_info_score(None, None, contingency=contingency)
    assert math.log(inception_score(torch.from_numpy(shares))) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save:UserWarning")
@pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0:UserWarning")  # of one split
def test_score_is_torchmetrics() -> None:
    from torchmetrics.image.inception import InceptionScore

    logits = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * 3

    class AsTheyAre(torch.nn.Module):
        num_features = 5

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return logits

    metric = InceptionScore(feature=AsTheyAre(), splits=1)
    metric.update(torch.zeros(200, 3, 8, 8, dtype=torch.uint8))
    expected, _ = metric.compute()
    assert inception_score(logits.softmax(1)) == pytest.approx(float(expected), rel=1e-5)


def test_modes_and_their_divergence() -> None:
    real = torch.arange(10).repeat(50)
    fake = torch.tensor([0] * 30 + [1] * 10 + [5] * 60)
    found = modes(real, fake, 10)
    assert (found.covered, found.known) == (3, 10)
    shares = np.bincount(fake.numpy(), minlength=10) / 100
    assert found.divergence == pytest.approx(entropy(shares, np.full(10, 0.1)))
    assert modes(real, real, 10).divergence == 0
    assert modes(real, torch.zeros(9, dtype=torch.int64), 10).divergence == pytest.approx(
        math.log(10)
    )


def test_modes_without_samples_or_reals_stay_finite() -> None:
    real = torch.tensor([0, 0, 1])
    none = modes(real, real[:0], 4)
    assert none.covered == 0
    assert math.isfinite(none.divergence)
    beside = modes(real, torch.tensor([3, 3]), 4)
    assert (beside.covered, beside.known) == (0, 2)
    assert math.isfinite(beside.divergence)


def test_labels_combine_to_one_mode_each() -> None:
    labels = {"a": torch.tensor([0, 1, 1]), "b": torch.tensor([2, 0, 2])}
    found = combined(labels, {"a": 2, "b": 3})
    assert found is not None
    numbers, count = found
    assert (numbers.tolist(), count) == ([2, 3, 5], 6)
    assert combined(labels, {"a": 2, "b": 501}) is None
    assert combined({}, {}) is None
