import pytest
import torch

from genlab.metrics import detection, share_below, threshold


def test_of_a_case_made_by_hand():
    # Of the 2 x 3 pairs of a strange and a normal image 5 are in order; the strange ones are the
    # first and the third of all: (1/1 + 2/3) / 2.
    scores = torch.tensor([0.9, 0.1, 0.5, 0.7, 0.2])
    strange = torch.tensor([True, False, True, False, False])
    found = detection(scores, strange)
    assert found.auroc == pytest.approx(5 / 6)
    assert found.average_precision == pytest.approx(5 / 6)


def test_scores_that_tell_all_and_nothing():
    strange = torch.arange(100) >= 80
    assert detection(torch.arange(100.0), strange) == pytest.approx((1, 1))
    assert detection(torch.zeros(100), strange) == pytest.approx((0.5, 0.2))


def test_shares_are_of_what_is_lower():
    shares = share_below(torch.tensor([0.0, 1.0, 2.5, 9.0]), torch.tensor([3.0, 1.0, 2.0, 1.0]))
    assert shares.tolist() == [0.0, 0.0, 0.75, 1.0]


@pytest.mark.parametrize(("rate", "expected"), [(0.01, 99), (0.1, 90), (0.099, 91), (0.009, 100)])
def test_at_most_the_share_of_false_alarms_is_above_the_threshold(rate, expected):
    reference = torch.arange(1.0, 101.0)[torch.randperm(100)]
    found = threshold(reference, rate)
    assert found == expected
    assert (reference > found).float().mean() <= rate


def test_a_threshold_of_equal_scores_calls_none_of_them_strange():
    assert threshold(torch.ones(50), 0.1) == 1
