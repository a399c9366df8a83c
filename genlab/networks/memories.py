"""What a GAN remembers of its past: earlier images, earlier weights."""

import torch
from torch import Tensor, nn


class Replay(nn.Module):
    """A pool of earlier fakes, out of which half of what the critic sees as fake is drawn.

    Shrivastava et al. 2017, section 2.3, https://arxiv.org/abs/1612.07828: every batch, as many
    images of the pool as were drawn from it make room for new ones. Processes that train together
    all draw from the first one's pool.

    Args:
        resolution, channels: of the images.
        size: images in the pool.
    """

    def __init__(self, resolution: int, channels: int, size: int = 1000) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"size={size} must be at least 1")
        self.pool = nn.Buffer(torch.zeros(size, channels, resolution, resolution))
        self.filled = nn.Buffer(torch.tensor(0))

    @torch.no_grad()
    def forward(self, fakes: Tensor) -> Tensor:
        """Fakes (B, C, H, W) to as many, half of them from the pool once it is full."""
        size, filled = len(self.pool), int(self.filled)
        if filled < size:
            fresh = fakes[: size - filled].float()
            self.pool[filled : filled + len(fresh)] = fresh
            self.filled.add_(len(fresh))
            return fakes
        half = min(len(fakes) // 2, size)
        chosen = torch.randperm(size, device=fakes.device)[:half]
        old = self.pool[chosen].to(fakes.dtype)
        self.pool[chosen] = fakes[:half].float()
        return torch.cat([old, fakes[half:]])


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
