"""From a run's config to its learner and its data."""

import os
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from genlab.config.parts import Tree, flatten
from genlab.config.run import RunConfig
from genlab.config.schema import build
from genlab.data.module import Batches, ImageData, Parts
from genlab.data.source import Source
from genlab.errors import ConfigError, ResourceError
from genlab.learners import Learner
from genlab.learners.learner import seed_noise
from genlab.networks import Critic


def build_data(config: RunConfig) -> ImageData:
    """The data module of a run's config."""
    data = config.data
    source = build(data.source, "data.source")
    if not isinstance(source, Source):
        raise ConfigError(f"data.source={data.source} is no source of images")
    for key, found, wanted in (
        ("resolution", source.resolution, data.resolution),
        ("channels", source.channels, data.channels),
    ):
        if found != wanted:
            raise ConfigError(f"data.source.{key}={found}: set data.{key}, which all parts follow")
    return ImageData(
        source,
        Parts(
            validation=data.validation,
            test=data.test,
            labels_per_class=data.labels_per_class,
            leave_out=data.leave_out,
        ),
        Batches(
            batch_size=data.batch_size,
            flip=data.flip,
            crop=data.crop,
            balanced=data.balanced,
            extra=data.extra,
        ),
        in_memory_gb=data.in_memory_gb,
        seed=config.seed,
    )


def completed(config: RunConfig) -> RunConfig:
    """The config with every `classes: auto` of its model replaced by the data set's labels.

    Raises ConfigError where the data set has none.
    """
    settings = flatten(config.plain)
    if not any(key.endswith("classes") and value == "auto" for key, value in settings):
        return config
    mapped = config.replaced(data={"in_memory_gb": 0})  # only the names of classes are read
    image_set = build_data(mapped).image_set
    if not image_set.classes:
        raise ConfigError(
            "this model needs labels and the data set has none: sort the images into a folder for "
            "each class, set data.labels=FILE, or choose other data"
        )

    def fill(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        return {
            key: image_set.classes if key == "classes" and value == "auto" else fill(value)
            for key, value in node.items()
        }

    return config.replaced(model=fill(config.model))


def build_learner(config: RunConfig) -> Learner:
    """The learner of a run's config, with weights drawn from its seed."""
    _refuse_too_large(config.model)
    seed_noise(config.seed)
    learner = build(config.model, "model")
    if not isinstance(learner, Learner):
        raise ConfigError(f"model: {config.model.get('_target_')} is not a learner")
    learner.noise_seed = config.seed
    return learner


def refuse_unpacked(learner: Learner, batch_size: int) -> None:
    """Raise ConfigError for batches that a critic cannot divide into its packs."""
    batches = getattr(learner.stages, "batch_sizes", {})
    sizes = {"data.batch_size": batch_size}
    sizes |= {f"model.stages.batch_sizes.{side}": size for side, size in batches.items()}
    for critic in (module for module in learner.modules() if isinstance(module, Critic)):
        for key, size in sizes.items():
            if size % critic.pack:
                raise ConfigError(
                    f"{key}={size} must be a multiple of model.critic.network.pack="
                    f"{critic.pack}, the images that are judged together"
                )


class _Unfilled(TorchFunctionMode):
    """Leaves values out of what networks are made of: random weights, and their scales.

    On "meta", where nothing is computed, torch would import its compiler for them: 1.8 s.
    """

    _SCALING = (torch.Tensor.div, torch.Tensor.__truediv__, torch.Tensor.mul, torch.Tensor.__mul__)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Torch's hook: a tensor of the same shape in place of values."""
        given = dict(kwargs or {})
        if func in (nn.init.normal_, torch.Tensor.normal_):
            return args[0] if args else given["tensor"]
        if func is torch.randn:
            given.pop("generator", None)
            return torch.empty(*args, **given)
        if func in self._SCALING and isinstance(args[1], float) and args[0].is_floating_point():
            return args[0]
        return func(*args, **given)


def without_memory(model: Tree) -> nn.Module:
    """The networks of a run's config with shapes alone: they take no memory and cannot be used."""
    with torch.device("meta"), _Unfilled():
        learner = build(model, "model")
    if not isinstance(learner, nn.Module):
        raise ConfigError(f"model: {model.get('_target_')} is not a learner")
    return learner


def _refuse_too_large(model: Tree) -> None:
    """Raise ResourceError for networks that this machine's memory does not hold.

    Only those with unusual widths and depths are measured, without making their weights.
    """
    unusual = [
        f"model.{path}={value}"
        for path, values in flatten(model)
        for value in (values if isinstance(values, list) else [values])
        if type(value) is int
        and not path.endswith(("images", "base"))
        and value > _USUAL.get(path.rpartition(".")[2], 1024)
    ]
    if not unusual:
        return
    learner = without_memory(model)
    # Beside the weights gradients and two moments of theirs.
    needed = 4 * sum(t.nbytes for t in (*learner.parameters(), *learner.buffers())) / 2**30
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if needed > memory:
        raise ResourceError(
            f"{', '.join(unusual[:3])}: to train the networks takes {needed:,.0f} GiB, of which "
            f"this machine has {memory:,.0f}: choose smaller ones"
        )


_USUAL = {"blocks": 32, "mapping_layers": 32, "halvings": 4}
