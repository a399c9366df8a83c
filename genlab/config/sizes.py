"""Settings of a model page that follow from others: every `auto` becomes a value."""

from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from genlab.config.schema import flatten
from genlab.errors import ConfigError
from genlab.words import one_of

LARGE = 128  # pixels, from which on `size: auto` is the paper's
MOST = 64  # images of a step of all processes that formulas are made for


def sized(config: DictConfig, processes: int = 1) -> DictConfig:
    """The config with the `auto`s of its model page replaced, and without `model.size(s)`.

    A page with sizes says under `model.sizes.NAME` what settings that are `auto` become;
    `model.size` chooses one, and `auto` the paper's from 128 pixels on, else the small one. What is
    left is as in `FORMULAS`, for the batches of all processes together. Settings with a value of
    their own keep it. ConfigError for a critic whose normalisation undoes its spectral one.
    """
    plain: Any = OmegaConf.to_container(config)
    model = plain["model"]
    _settle_normalisation(model)
    if "sizes" in model:
        for key in ("resolution", "batch_size"):
            value = config.data[key]
            if (type(value) is not int or value < 1) and (key, value) != ("batch_size", "auto"):
                raise ConfigError(f"data.{key}={value} must be a whole number, at least 1")
        _settle_sizes(plain, config.data.resolution, processes)
    return OmegaConf.create(plain)


def _settle_sizes(plain: dict[str, Any], resolution: int, processes: int) -> None:
    """Fill in what follows from `model.size`, the resolution and the batch."""
    model = plain["model"]
    size, sizes = model.pop("size", "auto"), _mapping(model.pop("sizes"))
    one_of("model.size", size, ("auto", *sizes))
    if size == "auto":
        size = "paper" if resolution >= LARGE else "small"
    _fill(model, _mapping(sizes.get(size)), "model")
    if plain["data"]["batch_size"] == "auto":
        images = max(min(processes * min(4096 // resolution, 32), MOST), processes)
        plain["data"]["batch_size"] = images // processes
    batch_size = min(processes * OmegaConf.create(plain).data.batch_size, MOST)
    for key, value in list(flatten(model)):
        formulas = [FORMULAS[name] for name in FORMULAS if key.endswith(f".{name}") or key == name]
        if value == "auto" and formulas:
            *parts, last = key.split(".")
            node = model
            for part in parts:
                node = node[part]
            node[last] = formulas[0](resolution, batch_size)


FORMULAS: Mapping[str, Callable[[int, int], float]] = {
    "penalties.r1.weight": lambda resolution, batch: 0.0002 * resolution**2 / batch,
    "ema_half_life_images": lambda resolution, batch: batch * 10_000 / 32,
    "lr": lambda resolution, batch: 0.0025 if resolution < 1024 else 0.002,
    "base": lambda resolution, batch: 16384 if resolution < 512 else 32768,
    "stages.start": lambda resolution, batch: min(resolution, 32),  # below, growth gained nothing
}
"""By the end of a setting's name, from resolution and images of a step, at most 64.

But for the start of growth the `auto` settings of the code of Karras et al. 2020, "Training GANs
with Limited Data", https://arxiv.org/abs/2006.06676: 4096 / resolution images a process, at most
32, and at most 64 in all.
"""


def _settle_normalisation(model: dict[str, Any]) -> None:
    """What a critic's `normalisation: auto` becomes, in place.

    None beside spectral normalisation: it divides by deviations, and so undoes the bound on the
    critic's slope. Layer normalisation beside a penalty on the norm of gradients, which are those
    of single images only where no statistics of the batch join them (Gulrajani et al. 2017,
    section 4, https://arxiv.org/abs/1704.00028). Else batch normalisation.
    """
    critic = _mapping(model.get("critic"))
    encoder = _mapping(critic.get("encoder"))
    if "normalisation" not in encoder:
        return
    spectral = critic.get("spectral") is True
    if encoder["normalisation"] == "auto":
        penalties = [_mapping(each) for each in _mapping(model.get("penalties")).values()]
        single = any(str(each.get("_target_")).endswith(".GradientPenalty") for each in penalties)
        encoder["normalisation"] = "none" if spectral else "layer" if single else "batch"
    elif spectral and encoder["normalisation"] != "none":
        raise ConfigError(
            f"model.critic.encoder.normalisation={encoder['normalisation']} undoes what "
            "model.critic.spectral=true (remedy=spectral_norm) does: set it to none"
        )


def _mapping(value: Any) -> dict[str, Any]:
    """The value, or nothing where it is of another kind, which is said elsewhere."""
    return value if isinstance(value, dict) else {}


def _fill(node: dict[str, Any], values: Mapping[str, Any], path: str) -> None:
    """Put values where the node says `auto`; ConfigError for a value without a place."""
    for key, value in values.items():
        if key not in node:
            raise ConfigError(f"model.sizes: there is no {path}.{key}")
        if isinstance(node[key], dict) and isinstance(value, Mapping):
            _fill(node[key], value, f"{path}.{key}")
        elif node[key] == "auto":
            node[key] = value
