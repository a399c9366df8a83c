"""A bottleneck of discrete codes, learned as a codebook, and the prior that draws them."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from genlab import bounds, ranks
from genlab.networks.bottlenecks import Bottleneck

HEADS = 4  # of the prior's attention


class QuantisedCode(NamedTuple):
    """A map of codebook entries.

    values: (B, width * H * W), the entries. indices: (B, H * W), their numbers in the codebook.
    distance: (B,), squared distance between the encoder's map and the entries, summed.
    nats: (B,), the cost of the indices under the prior.
    """

    values: Tensor
    indices: Tensor
    distance: Tensor
    nats: Tensor


class VectorQuantiser(Bottleneck):
    """Every position of a feature map becomes the nearest of `entries` vectors of size `width`.

    Van den Oord, Vinyals, Kavukcuoglu 2017, https://arxiv.org/abs/1711.00937: gradients pass
    straight through; the codebook follows the running means of what falls on each entry
    (appendix A.1). An entry whose share of use falls below `revive_below` of an even share is
    replaced by a vector of the batch (Dhariwal et al. 2020, https://arxiv.org/abs/2005.00341).
    The prior over indices is trained beside it, without a gradient to the encoder.

    Args:
        features: (maps, H, W) of the encoder.
        entries: size of the codebook.
        width: numbers in an entry.
        prior_width: width of the prior's transformer.
        decay: of the running means, per batch.
        revive_below: share of an even share of use.
        extra: not supported, 0.
    """

    def __init__(
        self,
        features: Sequence[int],
        entries: int,
        width: int,
        prior_width: int = 64,
        decay: float = 0.98,
        revive_below: float = 0.1,
        extra: int = 0,
    ) -> None:
        super().__init__()
        if len(features) != 3 or extra:
            raise ValueError("codebooks take maps without a condition: leave out encoder.outputs")
        bounds.whole(2, bounds.WIDEST, entries=entries)
        bounds.widths(width=width, prior_width=prior_width)
        bounds.within(0, 1, decay=decay, revive_below=revive_below)
        if prior_width % HEADS:
            raise ValueError(f"prior_width={prior_width} must be a multiple of {HEADS}")
        maps, height, wide = features
        self.outputs = (width, height, wide)
        self.decay = decay
        self.revive_below = revive_below
        self.project = nn.Conv2d(maps, width, 1)
        self.indices_prior = IndexPrior(entries, height * wide, prior_width)
        self.codebook = nn.Buffer(torch.randn(entries, width))
        self.sums = nn.Buffer(torch.zeros(entries, width))
        self.counts = nn.Buffer(torch.zeros(entries))

    def forward(self, features: Tensor) -> QuantisedCode:
        """(B, maps, H, W) to a code."""
        maps = self.project(features).float()
        vectors = maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])
        with torch.autocast(vectors.device.type, enabled=False):
            indices = self._nearest(vectors.detach())
            entries = self.codebook[indices].view(maps.permute(0, 2, 3, 1).shape)
            if self.training:  # afterwards: what is revived now was not the nearest
                self._follow(vectors.detach(), indices)
        entries = entries.permute(0, 3, 1, 2)
        distance = (maps - entries).square().flatten(1).sum(1)
        values = maps + (entries - maps).detach()
        indices = indices.view(len(features), -1)
        return QuantisedCode(values.flatten(1), indices, distance, self.indices_prior(indices))

    @torch.no_grad()
    def prior(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, n) entries whose indices the prior drew, on the CPU."""
        indices = self.indices_prior.draw(count, generator)
        entries = self.codebook[indices.to(self.codebook.device)]
        return entries.transpose(1, 2).flatten(1).cpu()

    def _nearest(self, vectors: Tensor) -> Tensor:
        # The vector's own square is the same for every entry and left out.
        squares = self.codebook.square().sum(1)
        return torch.addmm(squares, vectors, self.codebook.T, alpha=-2).argmin(1)

    @torch.no_grad()
    def _follow(self, vectors: Tensor, indices: Tensor) -> None:
        entries = len(self.codebook)
        counts = torch.bincount(indices, minlength=entries).float()
        sums = torch.zeros_like(self.sums).index_add_(0, indices, vectors)
        several = ranks.is_distributed()
        if several:
            distributed.all_reduce(counts)
            distributed.all_reduce(sums)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        even = counts.sum() / entries
        dead = self.counts < self.revive_below * even
        chosen = torch.randint(len(vectors), (entries,), device=vectors.device)
        fresh = vectors[chosen]
        if several:
            distributed.broadcast(fresh, 0)
        self.sums[dead] = fresh[dead] * even
        self.counts[dead] = even
        self.codebook.copy_(self.sums / self.counts[:, None])


class IndexPrior(nn.Module):
    """An autoregressive distribution over rows of indices: a small causal transformer.

    In the role of the PixelCNN of van den Oord et al. 2017 (section 3.3); the transformer is that
    of Esser, Rombach, Ommer 2021, https://arxiv.org/abs/2012.09841.
    """

    def __init__(self, entries: int, length: int, width: int, layers: int = 2) -> None:
        super().__init__()
        self.start = entries
        self.embedding = nn.Embedding(entries + 1, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, HEADS, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.logits = nn.Linear(width, entries)
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        self.mask = nn.Buffer(mask, persistent=False)

    def forward(self, indices: Tensor) -> Tensor:
        """(B, length) to -log p in nats, (B,)."""
        logits = self._predict(indices[:, :-1])
        losses = F.cross_entropy(logits.transpose(1, 2), indices, reduction="none")
        return losses.sum(1)

    @torch.no_grad()
    def draw(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """(count, length) indices; the generator is one of the CPU."""
        indices = torch.empty(count, 0, dtype=torch.long, device=self.position.device)
        for _ in range(len(self.position)):
            probabilities = self._predict(indices)[:, -1].softmax(1).cpu()
            drawn = torch.multinomial(probabilities, 1, generator=generator)
            indices = torch.cat([indices, drawn.to(indices.device)], 1)
        return indices

    def _predict(self, before: Tensor) -> Tensor:
        """(B, n) to logits of the first n + 1 indices, (B, n + 1, entries)."""
        start = before.new_full((len(before), 1), self.start)
        inputs = self.embedding(torch.cat([start, before], 1))
        length = inputs.shape[1]
        inputs = inputs + self.position[:length]
        # On CPUs torch's fused attention is slow in bf16: half the speed of a whole VQ-VAE.
        with sdpa_kernel(SDPBackend.MATH) if inputs.device.type == "cpu" else nullcontext():
            hidden = self.transformer(inputs, self.mask[:length, :length], is_causal=True)
        result: Tensor = self.logits(hidden).float()
        return result
