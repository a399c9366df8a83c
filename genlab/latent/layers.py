"""The layers that take a style: two for each resolution, from 4 pixels on, the coarsest first.

People count them from 1, ranges from 0.
"""

import re

import torch
from torch import Tensor

PARTS = ("coarse", "middle", "fine")
_MOST = 4  # layers of the coarse part and of the middle one


def parts(layers: int) -> dict[str, range]:
    """The layers of each of PARTS.

    Those of Karras et al. 2019, figure 3, https://arxiv.org/abs/1812.04948: coarse are 4 to 8
    pixels, middle 16 to 32, fine all above. Images below 128 pixels have fewer than 12 layers:
    three parts as equal as can be, the coarser ones larger, so that none is empty. 64 pixels give
    4, 3 and 3 layers, 32 pixels 3, 3 and 2, 16 pixels 2 each, 8 pixels 2, 1 and 1.

    Raises:
        ValueError: fewer than three layers.
    """
    if layers < len(PARTS):
        raise ValueError(f"{layers} layers have no three parts: choose 1 or 2")
    coarse = min(_MOST, -(-layers // 3))
    middle = coarse + min(_MOST, -(-(layers - coarse) // 2))
    ranges = (range(coarse), range(coarse, middle), range(middle, layers))
    return dict(zip(PARTS, ranges, strict=True))


def chosen(words: str | int, layers: int) -> range:
    """The layers that words name: all, one of PARTS, "2-5" (both ends included) or a number.

    Raises:
        ValueError: words that name none of so many layers.
    """
    if words == "all":
        return range(layers)
    if words in PARTS:
        return parts(layers)[str(words)]
    ends = re.fullmatch(r"(\d+)(?:-(\d+))?", str(words))
    if not ends:
        raise ValueError("choose all, coarse, middle, fine or a range such as 2-5")
    first = int(ends[1])
    last = int(ends[2] or first)
    if not 1 <= first <= last <= layers:
        raise ValueError(f"choose layers from 1 to {layers}, the coarsest first")
    return range(first - 1, last)


def described(layers: range) -> str:
    """The layers in words, with the resolutions that they work at."""
    first, last = (f"{4 * 2 ** (layer // 2)}" for layer in (layers[0], layers[-1]))
    pixels = first if first == last else f"{first} to {last}"
    if len(layers) == 1:
        return f"layer {layers[0] + 1} ({pixels} pixels)"
    return f"layers {layers[0] + 1}-{layers[-1] + 1} ({pixels} pixels)"


def mixed(styles: Tensor, others: Tensor, layers: range) -> Tensor:
    """Styles (..., L, n) with those of others, that broadcast with them, in the layers given."""
    positions = torch.arange(styles.shape[-2], device=styles.device)
    taken = (positions >= layers.start) & (positions < layers.stop)
    return torch.where(taken[:, None], others, styles)
