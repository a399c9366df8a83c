"""How smoothly images follow codes, and how well attributes part in them.

Karras et al. 2019, section 4, https://arxiv.org/abs/1812.04948.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

EPSILON = 1e-4


def path_length(
    starts: Tensor,
    ends: Tensor,
    positions: Tensor,
    path: Callable[[Tensor, Tensor, Tensor], Tensor],
    see: Callable[[Tensor], Tensor],
) -> float:
    """Perceptual path length (section 4.1): the mean of |f(t + eps) - f(t)|^2 / eps^2.

    f(t) are the features of the image at t on the path between two codes, eps is 1e-4. Every
    pair counts; the authors' program leaves out the 1 % of shortest and of longest.

    Args:
        starts, ends: codes (N, n), a pair for each path.
        positions: t (N,), uniform on [0, 1] for full paths, 0 for their ends alone.
        path: from (B, n), (B, n) and positions (S,) to codes (B, S, n).
        see: codes (M, n) to features (M, D) in single precision at least.
    """
    near = torch.stack([positions, positions + EPSILON], 1)
    codes = torch.vmap(path)(starts[:, None], ends[:, None], near)[:, 0]
    first, second = (see(side).double() for side in codes.unbind(1))
    return float((second - first).square().sum(1).mean() / EPSILON**2)


def separability(codes: Tensor, probabilities: Tensor) -> float:
    """exp of the sum over attributes of H(Y | X) in nats (section 4.2), at least 1.

    X is the side of a hyperplane (linear SVM, scikit-learn, C = 1, codes scaled to variance 1) on
    which a code lies, Y whether the image has the attribute. For each attribute the half of the
    images counts that a classifier is surest of; the hyperplane is fitted to the same ones. An
    attribute that all of these have, or none, adds 0.

    Args:
        codes: (N, n).
        probabilities: of each attribute, by the classifier, (N, K).
    """
    return math.exp(sum(_uncertainty(codes, p) for p in probabilities.unbind(1)))


def _uncertainty(codes: Tensor, probability: Tensor) -> float:
    """H(Y | X) of one attribute, in nats."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    sure = (probability - 0.5).abs().argsort(descending=True, stable=True)
    sure = sure[: math.ceil(len(sure) / 2)]
    values, held = codes[sure].numpy(), probability[sure] > 0.5
    if held.all() or not held.any():
        return 0.0
    machine = make_pipeline(StandardScaler(), LinearSVC(dual=False)).fit(values, held.numpy())
    side = torch.from_numpy(machine.predict(values)).long()
    joint = torch.bincount(2 * side + held.long(), minlength=4).double().view(2, 2) / len(sure)
    sides = joint.sum(1, keepdim=True)
    return float((torch.special.entr(joint).sum() - torch.special.entr(sides).sum()).clamp(min=0))
