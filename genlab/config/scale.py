"""One meaning of size: which of a page's two values a run takes, and values that follow from data.

On a page `${scale:PAPER,LAPTOP}` stands for the value of the scale that the run has, and
`${formula:NAME}` for what an entry of `FORMULAS` makes of its resolution and batch.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from genlab.config.migration import refuse_renamed
from genlab.config.parts import Tree, flatten
from genlab.errors import ConfigError
from genlab.words import one_of

SCALES = ("auto", "laptop", "paper")
RESOLVERS = ("scale", "formula")
MEANING = {
    "laptop": "laptop (small networks and fast rates, for CPUs); scale=paper: those of the paper",
    "paper": "paper (the paper's networks, rates, length); scale=laptop: small networks for CPUs",
}
SIZES = "scale=laptop, small networks for CPUs, and scale=paper, those of the paper, for GPUs"
RENAMED = {
    "model=progan_small": "model=progan scale=laptop",
    "model=stylegan_small": "model=stylegan scale=laptop",
    "model=stylegan2_small": "model=stylegan2 scale=laptop",
    "players=narrow": "scale=laptop",
}
"""Pages of before, and what chooses the same now."""

MOST = 64  # images of a step of all processes that formulas are made for

FORMULAS: Mapping[str, Callable[[int, int, int], float]] = {
    "stylegan2_batch": lambda resolution, _, processes: (
        max(min(processes * min(4096 // resolution, 32), MOST), processes) // processes
    ),
    "stylegan2_rate": lambda resolution, *_: 0.0025 if resolution < 1024 else 0.002,
    "stylegan2_base": lambda resolution, *_: 16384 if resolution < 512 else 32768,
    "stylegan2_r1": lambda resolution, batch, processes: (
        0.0002 * resolution**2 / min(batch * processes, MOST)
    ),
    "stylegan2_average": lambda _, batch, processes: min(batch * processes, MOST) * 10_000 / 32,
    "first_resolution": lambda resolution, *_: min(resolution, 32),  # below, growth gained nothing
}
"""From resolution, images of a step of one process, and processes.

`stylegan2_...` are the `auto` settings of the code of Karras et al. 2020, "Training GANs with
Limited Data", https://arxiv.org/abs/2006.06676: 4096 / resolution images a process, at most 32,
and at most 64 in all.
"""


def register_resolvers() -> None:
    """Make `${scale:...}` and `${formula:...}` known to pages."""
    OmegaConf.register_new_resolver("scale", _of_scale, replace=True)
    OmegaConf.register_new_resolver("formula", _of_formula, replace=True)


def chosen(scale: str, accelerator: str) -> str:
    """The scale that a run has: `auto` is the paper's on a CUDA GPU and laptop anywhere else.

    Raises ConfigError for an unknown word, and what `devices.find` does.
    """
    one_of("scale", scale, SCALES)
    if scale != "auto":
        return scale
    from genlab import devices  # which imports torch, and every command imports this module

    return "paper" if devices.resolve_accelerator(accelerator) == "cuda" else "laptop"


def scaled(config: DictConfig, processes: int = 1) -> Tree:
    """The config as plain containers, with its scale chosen and everything of it resolved.

    Formulas are for the batches of so many processes together. ConfigError for what no formula
    takes, and for a critic whose normalisation undoes its spectral one.
    """
    register_resolvers()
    raw: Any = OmegaConf.to_container(config)
    _refuse_sizes(raw["model"])
    refuse_renamed(name for name, _ in flatten(raw["model"], "model"))
    raw["scale"] = chosen(raw.get("scale", "auto"), config.trainer.accelerator)
    if "${formula:" in str(raw):
        _check_data(config, raw["data"])
    known = OmegaConf.create({**raw, "processes": processes})
    settled = OmegaConf.to_container(known, resolve=True, throw_on_missing=True)
    plain = cast(Tree, settled)
    del plain["processes"]
    _settle_normalisation(plain["model"])
    return plain


def renamed_size(key: str, value: Any) -> str:
    """What is said of `model.size` and `model.sizes`, which there were before."""
    of_one = {"small": "laptop", "paper": "paper"} if key == "model.size" else {}
    scale = of_one.get(str(value), "laptop|paper")
    return f"{key}: networks and rates have one setting of size now: scale={scale}"


def _of_scale(paper: Any, laptop: Any, /, *, _root_: DictConfig) -> Any:
    accelerator = OmegaConf.select(_root_, "trainer.accelerator", default="auto")
    scale = OmegaConf.select(_root_, "scale", default="auto")
    return paper if chosen(scale, accelerator) == "paper" else laptop


def _of_formula(name: str, /, *, _root_: DictConfig) -> float:
    one_of("formula", name, tuple(FORMULAS))
    data, processes = _root_.data, OmegaConf.select(_root_, "processes", default=1)
    batch = 0 if name == "stylegan2_batch" else data.batch_size
    return FORMULAS[name](data.resolution, batch, processes)


def _check_data(config: DictConfig, raw: Mapping[str, Any]) -> None:
    """Raise ConfigError where formulas have no resolution or batch to begin with."""
    for key in ("resolution", "batch_size"):
        computed = str(raw[key]).startswith(tuple(f"${{{name}:" for name in RESOLVERS))
        value = None if computed else config.data[key]
        if not computed and (type(value) is not int or value < 1):
            raise ConfigError(f"data.{key}={value} must be a whole number, at least 1")


def _refuse_sizes(model: Any) -> None:
    """Raise ConfigError for a page of one's own that is made for the sizes of before."""
    for key in ("size", "sizes"):
        if isinstance(model, dict) and key in model:
            raise ConfigError(renamed_size(f"model.{key}", model[key]))


def _settle_normalisation(model: dict[str, Any]) -> None:
    """What a critic's `normalisation: auto` becomes, in place.

    None beside spectral normalisation: it divides by deviations, and so undoes the bound on the
    critic's slope. Layer normalisation beside a penalty on the norm of gradients, which are those
    of single images only where no statistics of the batch join them (Gulrajani et al. 2017,
    section 4, https://arxiv.org/abs/1704.00028). Else batch normalisation.
    """
    critic = _mapping(_mapping(model.get("critic")).get("network"))
    encoder = _mapping(critic.get("encoder"))
    if "normalisation" not in encoder:
        return
    spectral = critic.get("spectral") is True
    if encoder["normalisation"] == "auto":
        remedies = [_mapping(each) for each in _mapping(model.get("remedies")).values()]
        single = any(str(each.get("_target_")).endswith(".GradientPenalty") for each in remedies)
        encoder["normalisation"] = "none" if spectral else "layer" if single else "batch"
    elif spectral and encoder["normalisation"] != "none":
        raise ConfigError(
            f"model.critic.network.encoder.normalisation={encoder['normalisation']} undoes what "
            "model.critic.network.spectral=true (remedy=spectral_norm) does: set it to none"
        )


def _mapping(value: Any) -> dict[str, Any]:
    """The value, or nothing where it is of another kind, which is said elsewhere."""
    return value if isinstance(value, dict) else {}
