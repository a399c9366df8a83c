"""An autoencoder is an encoder, a bottleneck and a decoder."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genlab.networks.bottlenecks import Bottleneck, Code
from genlab.networks.chain import Chain
from genlab.networks.condition import Condition
from genlab.networks.tied import tie

Labels = Mapping[str, Tensor]
Corruption = Callable[[Tensor, float | Tensor, float | Tensor], Tensor]


class Reconstruction(NamedTuple):
    """The decoder's raw output, what it is to equal, and the code it was made from.

    `output` and `target` are images (B, C, H, W), or features of one block while a block is
    trained on its own; `code` is None where the bottleneck was not reached.
    """

    output: Tensor
    target: Tensor
    code: Code | None


class Autoencoder(nn.Module):
    """`encoder`: image to features; `bottleneck`: features to a code; `decoder`: code to image.

    Encoder and decoder are sequences of blocks that mirror each other: the first encoder block
    pairs with the last decoder block, the bottleneck with the first one. Sizes follow from the
    encoder, so bottleneck and decoder are given as functions of what comes before them.

    Args:
        encoder: image to features.
        bottleneck: makes the bottleneck from `features`, a shape.
        decoder: makes the decoder from `inputs`, the size of a code.
        condition: labels that encoder and decoder are conditioned on (Sohn et al. 2015,
            https://papers.nips.cc/paper/5775); None for none.
        output: applied to the decoder's output, for likelihoods with parameters of their own.
        tied: let every decoder layer use the transposed weights of the encoder layer it mirrors.
    """

    def __init__(
        self,
        encoder: Chain,
        bottleneck: Callable[..., Bottleneck],
        decoder: Callable[..., Chain],
        condition: Condition | None = None,
        output: nn.Module | None = None,
        tied: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.condition = condition
        extra = condition.width if condition else 0
        self.bottleneck = bottleneck(features=encoder.shape, extra=extra)
        self.decoder = decoder(inputs=_with(self.bottleneck.outputs, extra))
        self.output = output or nn.Identity()
        if tied:
            if condition:
                raise ValueError("tied=true cannot be combined with a condition: set tied=false")
            tie([self.encoder, self.bottleneck], self.decoder)

    @property
    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """Encoder block and the decoder block that undoes it, from the image inwards."""
        downwards: list[nn.Module] = [*self.encoder.blocks, self.bottleneck]
        return list(zip(downwards, reversed(self.decoder.blocks), strict=True))

    def encode(self, images: Tensor, labels: Labels | None = None) -> Code:
        """(B, C, H, W) in [-1, 1] to a code."""
        features = self.encoder(images)
        if self.condition is not None:
            features = torch.cat([features.flatten(1), self.condition(labels)], 1)
        code: Code = self.bottleneck(features)
        return code

    def decode(self, values: Tensor, condition: Tensor | None = None) -> Tensor:
        """(B, codes), and (B, width) of a condition, to the raw output (B, C, H, W)."""
        if condition is not None:
            values = torch.cat([values, condition], 1)
        result: Tensor = self.output(self.decoder(values))
        return result

    def forward(
        self, images: Tensor, labels: Labels | None = None, block: int | None = None
    ) -> Reconstruction:
        """(B, C, H, W) in [-1, 1] to the raw output, through all pairs or those up to `block`."""
        if block is not None:
            return Reconstruction(self._up_to(images, block), images, None)
        code = self.encode(images, labels)
        condition = self.condition(labels) if self.condition else None
        return Reconstruction(self.decode(code.values, condition), images, code)

    def learn(
        self,
        images: Tensor,
        labels: Labels | None = None,
        corruption: Corruption | None = None,
        block: int | None = None,
    ) -> Reconstruction:
        """What a training step compares: all of it, or one pair on the codes of those below it.

        Greedy layer-wise training (Bengio et al. 2007, https://papers.nips.cc/paper/3048; with
        corruption at every layer Vincent et al. 2010, https://www.jmlr.org/papers/v11/vincent10a):
        pair `block` rebuilds the output of the encoder blocks below it, which stay as they are.
        """
        if block is None:
            if not self.training:  # a block was trained before
                self.train()
            given = corruption(images, -1.0, 1.0) if corruption else images
            result: Reconstruction = self(given, labels)._replace(target=images)
            return result
        pairs = self.pairs
        self.eval()
        with torch.no_grad():
            target = images
            for encode, _ in pairs[:block]:
                target = encode(target)
        low, high = (-1.0, 1.0) if block == 0 else (0.0, target.amax())
        encode, decode = (module.train() for module in pairs[block])
        given = corruption(target, low, high) if corruption else target
        code = encode(given)
        if encode is self.bottleneck:
            return Reconstruction(decode(code.values), target, code)
        return Reconstruction(decode(code), target, None)

    def _up_to(self, images: Tensor, block: int) -> Tensor:
        pairs = self.pairs[: block + 1]
        values = images
        for encode, _ in pairs:
            values = encode(values).values if encode is self.bottleneck else encode(values)
        for _, decode in reversed(pairs):
            values = decode(values)
        result: Tensor = self.output(values)
        return result


def _with(outputs: int | tuple[int, ...], extra: int) -> int | tuple[int, ...]:
    if not extra:
        return outputs
    if not isinstance(outputs, int):
        raise ValueError("a condition needs codes that are vectors, not maps")
    return outputs + extra
