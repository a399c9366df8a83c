"""How well scores tell strange images from normal ones."""

from typing import NamedTuple

import torch
from torch import Tensor


class Detection(NamedTuple):
    """Both are 1 where every strange image scores higher than every normal one.

    Attributes:
        auroc: area under the curve of hits over false alarms: the chance that a strange image
            scores higher than a normal one; .5 for scores that say nothing.
        average_precision: mean share of strange ones among the highest scores, down to each of
            them; for scores that say nothing the share of strange ones in all.
    """

    auroc: float
    average_precision: float


def detection(scores: Tensor, strange: Tensor) -> Detection:
    """Scores (N,), the higher the stranger, against the truth, bool (N,), which has both kinds."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    return Detection(
        float(roc_auc_score(strange.numpy(), scores.numpy())),
        float(average_precision_score(strange.numpy(), scores.numpy())),
    )


def share_below(scores: Tensor, reference: Tensor) -> Tensor:
    """The share of the reference (M,) that is lower than each of the scores, (N,)."""
    return torch.searchsorted(reference.sort().values, scores).double() / len(reference)


def threshold(reference: Tensor, false_alarms: float) -> float:
    """The lowest score of the reference (M,) that at most this share of it is above."""
    above = int(false_alarms * len(reference) + 1e-9)
    return float(reference.sort(descending=True).values[above])
