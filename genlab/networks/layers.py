"""Choices that several networks share, by the names used on config pages."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from torch import Tensor, nn

from genlab import bounds
from genlab.sizes import Resolution, Size, height_and_width

T = TypeVar("T")

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.2, inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "selu": lambda: nn.SELU(inplace=True),
    "gelu": nn.GELU,
    "silu": lambda: nn.SiLU(inplace=True),
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "hardtanh": nn.Hardtanh,
    "linear": nn.Identity,
}

_NORMALISATIONS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
    "layer": lambda channels: nn.GroupNorm(1, channels),
    "none": lambda channels: nn.Identity(),
}


def activation(name: str, setting: str = "activation") -> nn.Module:
    """A new activation module. Raises ValueError for an unknown name, the value of the setting."""
    return _choose(name, _ACTIVATIONS, setting)()


def normalisation(name: str, channels: int) -> nn.Module:
    """A new normalisation of (B, channels, H, W) maps. Raises ValueError for an unknown name."""
    return _choose(name, _NORMALISATIONS, "normalisation")(channels)


def refuse_unknown_normalisation(name: str) -> None:
    """Raise ValueError for the name of none, also where a network is too small to have any."""
    refuse_unknown("normalisation", name, _NORMALISATIONS)


Levels = int | Literal["all"] | None
"""Halvings of a map: at most so many, all that there can be, or None while its sides are even."""


def sizes(resolution: Resolution, levels: Levels = None, smallest: int = 4) -> list[Size]:
    """The sizes of a map of `resolution` pixels as it is halved, no side below `smallest`.

    Height and width are halved together. With "all" levels odd sides are halved too, which rounds
    up: 28 pixels become 14, 7 and 4. Raises ValueError where the map cannot be halved.
    """
    if levels != "all":
        bounds.depths(levels=levels)
    found = [height_and_width(resolution)]
    while levels == "all" or not _odd(found[-1]):
        half = Size(*((side + 1) // 2 for side in found[-1]))
        if half.smaller < smallest or found[-1].smaller <= smallest:
            break
        found.append(half)
    if len(found) == 1 or _odd(found[0]):
        raise ValueError(
            f"resolution={found[0]} cannot be halved: convolutional networks need even numbers "
            f"of pixels, {2 * smallest} or more (set data.resolution, say to multiples of 4)"
        )
    return found[: levels + 1] if isinstance(levels, int) else found


def _odd(size: Size) -> bool:
    return any(side % 2 for side in size)


def initialise_weights(network: nn.Module, deviation: float) -> None:
    """Draw weights from N(0, deviation^2), normalisation gains from N(1, deviation^2).

    The initialisation of DCGAN (Radford et al. 2016, section 4, deviation .02).
    """
    bounds.at_least(0, weight_deviation=deviation)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, deviation)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, deviation)


def variance(values: Tensor) -> Tensor:
    """Of (N, ...) over the first dimension; on CPUs torch's own takes several times as long."""
    return (values - values.mean(0)).square().mean(0)


def refuse_unknown(kind: str, name: str, options: Iterable[str]) -> None:
    """Raise ValueError where the name is none of the options."""
    if name not in options:
        raise ValueError(f"{kind}={name!r} is none of {', '.join(options)}")


def _choose(name: str, options: dict[str, T], kind: str) -> T:
    refuse_unknown(kind, name, options)
    return options[name]
