"""Steps of a network without Lightning, to compare a learner's with."""

import torch
from torch import Tensor, nn


def weights(network: nn.Module) -> Tensor:
    """All of them in one vector."""
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def descend(network: nn.Module, loss: Tensor) -> None:
    """A step of plain gradient descent at a rate of 0.1."""
    parameters = list(network.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.data -= 0.1 * gradient
