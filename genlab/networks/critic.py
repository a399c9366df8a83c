"""A critic, or discriminator: an encoder, layers across the batch, and a linear logit."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from genlab import bounds
from genlab.networks.chain import Chain
from genlab.networks.condition import Condition
from genlab.networks.equalised import Conv2d, Linear
from genlab.networks.layers import variance

_LAYERS = (nn.Linear, nn.Conv2d, Linear, Conv2d)


class Judgement(NamedTuple):
    """Logits (B, 1) or (B, places), positive for real; features (B, n); class logits by label."""

    logits: Tensor
    features: Tensor
    classes: dict[str, Tensor]


class Critic(nn.Module):
    """Images (B, C, H, W) to a judgement, conditional on labels where there is a condition.

    Args:
        encoder: makes the encoder from `channels`.
        channels: of an image.
        across: by any names, what makes layers from `features`, a shape, that compare the images
            of a batch, one above the other; None for none.
        condition: labels by whose embedding the features are projected (Miyato & Koyama 2018,
            equation 3, https://arxiv.org/abs/1802.05637). At first the embedding has Glorot's
            weights as theirs has, or with an equalised rate the deviation that makes the term as
            large as the logit (Karras et al. 2020, https://arxiv.org/abs/2006.06676).
        classes: class names of the labels that the critic names too (Odena et al. 2017,
            https://arxiv.org/abs/1610.09585; "auto" on a page); None for none.
        spectral: divide every layer's weight by its largest singular value (Miyato et al. 2018,
            https://arxiv.org/abs/1802.05957).
        pack: images that are judged together, stacked as channels (PacGAN, Lin et al. 2018,
            https://arxiv.org/abs/1712.04086); there is one logit for each pack, whose images have
            an embedding for their labels each by their place.
        head: makes the layers before the logits from `features`, a shape; None for none.
        equalised: equalise the learning rate of the last layers (see `equalised`).
        patches: judge every place of the last map on its own, by a 3x3 convolution in place of
            the linear logit: a PatchGAN (Isola et al. 2017, section 3.2.2,
            https://arxiv.org/abs/1611.07004).
    """

    def __init__(
        self,
        encoder: Callable[..., Chain],
        channels: int,
        across: Mapping[str, Callable[..., Chain] | None] | None = None,
        condition: Condition | None = None,
        classes: Mapping[str, Sequence[str]] | None = None,
        spectral: bool = False,
        pack: int = 1,
        head: Callable[..., Chain] | None = None,
        equalised: bool = False,
        patches: bool = False,
    ) -> None:
        super().__init__()
        bounds.whole(1, pack=pack)
        if not isinstance(across or {}, Mapping):
            raise ValueError("across must name its layers: across: {deviation: {_target_: ...}}")
        if patches and (condition or classes):
            raise ValueError("patches=true cannot be combined with labels: set it to false")
        self.pack = pack
        self.encoder = encoder(channels=channels * pack)
        self.across = nn.ModuleDict()
        below = self.encoder
        for name, comparing in (across or {}).items():
            if comparing is not None:
                self.across[name] = below = comparing(features=below.shape)
        self.head = head(features=below.shape) if head else None
        width = math.prod((self.head or below).shape)

        def linear(outputs: int) -> nn.Module:
            return Linear(width, outputs, gain=1.0) if equalised else nn.Linear(width, outputs)

        self.patches = patches
        self.logit = nn.Conv2d(below.shape[0], 1, 3, padding=1) if patches else linear(1)
        self.condition = condition
        self.projection = _embedding(condition, pack, width, equalised) if condition else None
        self.projection_scale = 1 / math.sqrt(width) if equalised else 1.0
        self.heads = nn.ModuleDict(
            {name: linear(pack * len(kinds)) for name, kinds in (classes or {}).items()}
        )
        if spectral:
            for layer in [m for m in self.modules() if isinstance(m, _LAYERS)]:
                if isinstance(layer, Linear | Conv2d):
                    layer.scale = 1.0  # the norm is what it would change
                parametrizations.spectral_norm(layer)

    @property
    def labels(self) -> list[str]:
        """Names of the labels that it looks at."""
        return sorted({*(self.condition.classes if self.condition else ()), *self.heads})

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile what losses are made of; `forward`, which penalties derive twice, cannot be."""
        # This critic's own judge stands before the class's.
        self.judge = torch.compile(self.judge, *args, **kwargs)  # type: ignore[method-assign]

    def judge(
        self, images: Tensor, labels: Mapping[str, Tensor] | None = None, **stage: Any
    ) -> Judgement:
        """(B, C, H, W) and (B,) labels by name to all that the critic says.

        The encoder takes the keyword arguments of a stage.
        """
        if len(images) % self.pack:
            raise ValueError(
                f"pack={self.pack} does not divide the batch of {len(images)}: set data.batch_size "
                f"to a multiple of {self.pack}"
            )
        packed = images.unflatten(0, (-1, self.pack)).flatten(1, 2) if self.pack > 1 else images
        features = self.encoder(packed, **stage)
        for layers in (*self.across.values(), *([self.head] if self.head else [])):
            features = layers(features)
        if self.patches:
            return Judgement(
                self.logit(features).float().flatten(1), features.float().flatten(1), {}
            )
        features = features.flatten(1)
        logits = self.logit(features)
        if self.condition is not None and self.projection is not None:
            embedded = self.projection(
                self.condition(labels).unflatten(0, (-1, self.pack)).flatten(1)
            )
            logits = logits + self.projection_scale * (embedded * features).sum(1, keepdim=True)
        classes = {
            name: head(features).float().unflatten(1, (self.pack, -1)).flatten(0, 1)
            for name, head in self.heads.items()
        }
        return Judgement(logits.float(), features.float(), classes)

    def forward(
        self, images: Tensor, labels: Mapping[str, Tensor] | None = None, **stage: Any
    ) -> Tensor:
        """(B, C, H, W) to logits (B / pack, 1), or one for each place."""
        return Critic.judge(self, images, labels, **stage).logits


def _embedding(condition: Condition, pack: int, width: int, equalised: bool) -> nn.Module:
    """Labels of a pack to as many numbers as there are features."""
    if equalised:
        # Of unit deviation: each label brings one row of weights.
        gain = math.sqrt(condition.width / len(condition.classes))
        return Linear(pack * condition.width, width, gain=gain, bias=None)
    embedding = nn.Linear(pack * condition.width, width, bias=False)
    nn.init.xavier_uniform_(embedding.weight)
    return embedding


class MinibatchDiscrimination(Chain):
    """Appends to every image's features how close they are to those of the rest of the batch.

    Salimans et al. 2016, section 3.2, https://arxiv.org/abs/1606.03498: with M_i = T f_i, rows b
    of M of `width` numbers, o_ib = sum over other images j of exp(-|M_ib - M_jb|_1).

    Args:
        features: shape of an image's features.
        kernels: numbers appended.
        width: numbers that are compared for each.
    """

    def __init__(self, features: Sequence[int], kernels: int = 50, width: int = 5) -> None:
        bounds.widths(kernels=kernels, width=width)
        inputs = math.prod(features)
        super().__init__([], [inputs + kernels])
        self.tensor = nn.Linear(inputs, kernels * width, bias=False)
        self.kernels = kernels

    def forward(self, values: Tensor) -> Tensor:
        """(B, ...) to (B, features + kernels)."""
        values = values.flatten(1)
        # Kernels last: CPUs are twice as quick over long rows as over the few numbers of each.
        rows = self.tensor(values).unflatten(1, (self.kernels, -1)).float()
        rows = rows.movedim(2, 0).contiguous()
        distances = (rows[:, :, None] - rows[:, None]).abs().sum(0)
        closeness = torch.exp(-distances).sum(1) - 1  # of an image to itself: 1
        return torch.cat([values, closeness.to(values.dtype)], 1)


class MinibatchDeviation(Chain):
    """Appends a map that says how much the images of a group differ.

    Karras et al. 2018, section 3, https://arxiv.org/abs/1710.10196: the standard deviation of every
    feature over a group of up to `group` images, averaged over features, as one constant map.
    """

    def __init__(self, features: Sequence[int], group: int = 4) -> None:
        bounds.whole(1, group=group)
        maps, *sides = features
        super().__init__([], [maps + 1, *sides])
        self.group = group

    def forward(self, values: Tensor) -> Tensor:
        """(B, maps, ...) to (B, maps + 1, ...)."""
        count = len(values)
        size = next(size for size in range(min(self.group, count), 0, -1) if count % size == 0)
        # Images i, i + n, i + 2n ... of n groups belong together, as in the paper's code.
        grouped = values.float().unflatten(0, (size, count // size))
        deviation = (variance(grouped) + 1e-8).sqrt().flatten(1).mean(1)
        shape = (count, 1, *values.shape[2:])
        maps = deviation.repeat(size).view(-1, *[1] * (values.ndim - 1)).expand(shape)
        return torch.cat([values, maps.to(values.dtype)], 1)
