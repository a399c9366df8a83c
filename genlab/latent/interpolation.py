"""Paths from one latent to another, as functions of (starts, ends, positions).

`starts` and `ends` are (B, n), `positions` (S,) on [0, 1]; the path is (B, S, n), with the start at
position 0 and the end at position 1.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Path = Callable[[Tensor, Tensor, Tensor], Tensor]

_SMALLEST_SINE = 1e-6


def linear(starts: Tensor, ends: Tensor, positions: Tensor) -> Tensor:
    """The straight line (1 - t) a + t b."""
    return torch.lerp(starts[:, None], ends[:, None], positions[:, None])


def spherical(starts: Tensor, ends: Tensor, positions: Tensor) -> Tensor:
    """The great circle between the directions, while the length changes evenly.

    Shoemake 1985, https://doi.org/10.1145/325165.325242: between unit vectors p and q at an angle
    theta, slerp = sin((1 - t) theta) / sin theta * p + sin(t theta) / sin theta * q. Draws from
    N(0, I) in n dimensions lie near a sphere of radius sqrt(n), which this path does not leave
    (White 2016, https://arxiv.org/abs/1609.04468, who applies the formula to the vectors as they
    are; with their lengths apart it stays bounded near opposite directions). Where no circle is
    defined, between parallel, opposite or zero vectors, it is the straight line.
    """
    start, end, position = starts.double(), ends.double(), positions.double()
    start_length = start.norm(dim=1, keepdim=True)
    end_length = end.norm(dim=1, keepdim=True)
    zero = (start_length * end_length) == 0
    p = start / start_length.where(~zero, 1)
    q = end / end_length.where(~zero, 1)
    # The arc cosine of a product loses half the digits near parallel; this does not
    # (Kahan 2006, "How futile are mindless assessments of roundoff", section 12).
    theta = 2 * torch.atan2((p - q).norm(dim=1, keepdim=True), (p + q).norm(dim=1, keepdim=True))
    straight = zero | (theta.sin() < _SMALLEST_SINE)
    sine = theta.sin().where(~straight, 1)[:, None]
    theta, t = theta[:, None], position[:, None]
    direction = (((1 - t) * theta).sin() * p[:, None] + (t * theta).sin() * q[:, None]) / sine
    curve = direction * torch.lerp(start_length[:, None], end_length[:, None], t)
    path = torch.where(straight[:, None], linear(start, end, position), curve)
    return path.to(starts.dtype)


PATHS: dict[str, Path] = {"linear": linear, "spherical": spherical}
