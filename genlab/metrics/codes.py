"""What codes are good for, and how many of them are in use."""

import numpy as np
import torch
from torch import Tensor

NEIGHBOURS = 10


def linear_probe(
    train_codes: Tensor, train_labels: Tensor, codes: Tensor, labels: Tensor, seed: int = 0
) -> float:
    """Accuracy of a linear classifier of the codes, (N, n) and (M, n), labels (N,) and (M,).

    Logistic regression (scikit-learn, L2 with C = 1) on codes scaled to variance 1: Alain & Bengio
    2016, https://arxiv.org/abs/1610.01644.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(train_labels.unique()) < 2:
        return float((labels == train_labels[0]).float().mean())
    probe = make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-3, random_state=seed)
    )
    probe.fit(train_codes.numpy(), train_labels.numpy())
    return float(np.mean(probe.predict(codes.numpy()) == labels.numpy()))


def nearest_neighbours(
    train_codes: Tensor, train_labels: Tensor, codes: Tensor, labels: Tensor
) -> float:
    """Accuracy of the majority among the 10 nearest training codes (Euclidean)."""
    from sklearn.neighbors import KNeighborsClassifier

    voters = KNeighborsClassifier(min(NEIGHBOURS, len(train_codes)))
    voters.fit(train_codes.numpy(), train_labels.numpy())
    return float(np.mean(voters.predict(codes.numpy()) == labels.numpy()))


def active_units(means: Tensor, threshold: float = 0.01) -> int:
    """How many of the codes (N, n) vary by more than `threshold` over the images.

    Of posterior means: Burda, Grosse, Salakhutdinov 2016, section 5.2,
    https://arxiv.org/abs/1509.00519.
    """
    return int((means.var(0, correction=0) > threshold).sum())


def activity(codes: Tensor, threshold: float = 0.1) -> tuple[float, float]:
    """Mean of the codes' magnitude, and the share of it that lies above `threshold`, of (N, n)."""
    magnitude = codes.abs()
    return float(magnitude.mean()), float((magnitude > threshold).float().mean())


def perplexity(indices: Tensor) -> float:
    """exp of the entropy of how often each codebook entry is used; k entries equally often: k."""
    share = torch.bincount(indices.flatten()).double() / indices.numel()
    return float(torch.exp(torch.special.entr(share).sum()))
