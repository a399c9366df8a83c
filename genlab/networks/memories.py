"""What a GAN remembers of its past: earlier images, earlier weights."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.networks.growing import enlarged, reduced


class Replay(nn.Module):
    """A pool of earlier fakes, out of which half of what the critic sees as fake is drawn.

    Shrivastava et al. 2017, section 2.3, https://arxiv.org/abs/1612.07828: every batch, as many
    images of the pool as were drawn from it make room for new ones. Processes that train together
    each have a pool of their own. Fakes of an earlier stage of growth come back enlarged.

    Args:
        resolution, channels: of the images.
        size: images in the pool.
        labels: names of the labels that are kept with the images.
    """

    def __init__(
        self, resolution: int, channels: int, size: int = 1000, labels: Sequence[str] = ()
    ) -> None:
        super().__init__()
        bounds.whole(1, size=size)
        self.pool = nn.Buffer(torch.zeros(size, channels, resolution, resolution))
        self.labels = nn.Module()
        for name in labels:
            self.labels.register_buffer(name, torch.zeros(size, dtype=torch.long))
        self.filled = nn.Buffer(torch.tensor(0))

    @torch.no_grad()
    def forward(
        self, fakes: Tensor, labels: Mapping[str, Tensor]
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Fakes (B, C, h, w) and their labels to as many, half of the pool once it is full."""
        size, filled = len(self.pool), int(self.filled)
        factor = self.pool.shape[-1] // fakes.shape[-1]
        if filled < size:
            fresh = slice(filled, filled + min(len(fakes), size - filled))
            self._put(fresh, fakes, labels, factor)
            self.filled.fill_(fresh.stop)
            return fakes, labels
        half = min(len(fakes) // 2, size)
        chosen = torch.randperm(size, device=fakes.device)[:half]
        old = reduced(self.pool[chosen], factor).to(fakes.dtype)
        told = {
            name: torch.cat([kept[chosen], labels[name][half:]])
            for name, kept in self.labels.named_buffers()
        }
        self._put(chosen, fakes, labels, factor)
        return torch.cat([old, fakes[half:]]), told

    def _put(
        self, places: slice | Tensor, fakes: Tensor, labels: Mapping[str, Tensor], factor: int
    ) -> None:
        """The first of the fakes to these places of the pool."""
        count = len(self.pool[places])
        self.pool[places] = enlarged(fakes[:count].float(), factor)
        for name, kept in self.labels.named_buffers():
            kept[places] = labels[name][:count]


class PastWeights(nn.Module):
    """The mean of all weights that a network has had.

    Historical averaging of Salimans et al. 2016, section 3.3, https://arxiv.org/abs/1606.03498.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.means = nn.ParameterList(
            nn.Parameter(p.detach().clone(), requires_grad=False) for p in network.parameters()
        )
        self.count = nn.Buffer(torch.tensor(1))

    def forward(self, network: nn.Module) -> Tensor:
        """The squared distance of the network's weights to the mean, a scalar."""
        pairs = zip(network.parameters(), self.means, strict=True)
        return torch.stack([(now - mean).square().sum() for now, mean in pairs]).sum()

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights as they are now."""
        self.count.add_(1)
        current = [p.detach() for p in network.parameters()]
        torch._foreach_lerp_(list(self.means), current, 1 / int(self.count))
