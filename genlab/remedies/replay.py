"""A pool of earlier generated images for the critic."""

import torch
from torch import Tensor, nn

from genlab import bounds
from genlab.networks.critic import Critic
from genlab.networks.growing import enlarged, reduced
from genlab.remedies.remedy import Labels, Remedy
from genlab.sizes import Resolution, height_and_width


class Replay(Remedy):
    """A pool of earlier fakes, out of which half of what the critic sees as fake is drawn.

    Shrivastava et al. 2017, section 2.3, https://arxiv.org/abs/1612.07828: every batch, as many
    images of the pool as were drawn from it make room for new ones. Processes that train together
    each have a pool of their own. Fakes of an earlier stage of growth come back enlarged.

    Args:
        resolution, channels: of the images.
        size: images in the pool.
    """

    def __init__(self, resolution: Resolution, channels: int, size: int = 1000) -> None:
        super().__init__()
        bounds.whole(1, size=size)
        self.pool = nn.Buffer(torch.zeros(size, channels, *height_and_width(resolution)))
        self.labels = nn.Module()
        self.filled = nn.Buffer(torch.tensor(0))

    def attach(self, critic: Critic, generator: nn.Module | None) -> None:
        """Keep the labels that the critic looks at with the images."""
        for name in critic.labels:
            self.labels.register_buffer(name, torch.zeros(len(self.pool), dtype=torch.long))

    @torch.no_grad()
    def replay(self, fakes: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
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
        their_labels = {
            name: torch.cat([kept[chosen], labels[name][half:]])
            for name, kept in self.labels.named_buffers()
        }
        self._put(chosen, fakes, labels, factor)
        return torch.cat([old, fakes[half:]]), their_labels

    def _put(self, places: slice | Tensor, fakes: Tensor, labels: Labels, factor: int) -> None:
        """The first of the fakes to these places of the pool."""
        count = len(self.pool[places])
        self.pool[places] = enlarged(fakes[:count].float(), factor)
        for name, kept in self.labels.named_buffers():
            kept[places] = labels[name][:count]
